import { Refusal } from '../domain/errors.ts';
import type { RecordedDecision, UsageLine } from '../ledger/store.ts';
import { filterOf, type DecisionQuestion } from './decisions.ts';
import type { Office } from './office.ts';
import { isLetIn } from './operators.ts';
import type { Scope } from './scope.ts';
import { usageFilterOf, type UsageQuestion } from './usage.ts';

/** How many exports may run at once: each is a reader that goes on for minutes. */
const MAX_EXPORTS = 8;

/** How many run now, by office: one program has one. */
const running = new WeakMap<Office, number>();

/** Pages of an export, made one by one as they are asked for. It ends early when the operator is shut out. */
export type Pages<Row> = AsyncGenerator<readonly Row[], void, void>;

/**
 * Every decision that the question asks for, oldest first, each once: those that were recorded when it began, whatever comes meanwhile.
 * Throws a Refusal for a question about what does not exist, and when too many exports run.
 */
export function exportDecisions(office: Office, scope: Scope, question: DecisionQuestion, operatorId: string): Pages<RecordedDecision> {
  const filter = filterOf(office, scope, question);
  const { store } = office;
  return counted(office, operatorId, async function* () {
    const lastSeq = await store.lastSeq();
    for (let from: number | null = 0; from !== null;) {
      const page = await store.exportDecisions(filter, from, lastSeq);
      from = page.nextSeq;
      yield page.rows;
    }
  });
}

/** The usage that the question asks for, grouped as in the list. Grouped by day or hour, it comes one after the other. Throws as the other one does. */
export function exportUsage(office: Office, scope: Scope, question: UsageQuestion, operatorId: string): Pages<UsageLine> {
  const filter = usageFilterOf(office, scope, question);
  const { store } = office;
  return counted(office, operatorId, async function* () {
    // Makes sure that what was settled before is in the sums.
    await store.lastSeq();
    for (let from: number | null = 0; from !== null;) {
      const page = await store.exportUsage(filter, from);
      from = page.nextMs;
      yield page.lines;
    }
  });
}

function counted<Row>(office: Office, operatorId: string, pages: () => Pages<Row>): Pages<Row> {
  if ((running.get(office) ?? 0) >= MAX_EXPORTS)
    throw new Refusal('overloaded', `${MAX_EXPORTS} exports are running already. Wait until one has ended.`);
  return whileAllowed(office, operatorId, pages);
}

async function* whileAllowed<Row>(office: Office, operatorId: string, pages: () => Pages<Row>): Pages<Row> {
  running.set(office, (running.get(office) ?? 0) + 1);
  try {
    for await (const page of pages()) {
      if (!isLetIn(office, operatorId)) throw new Error('the operator was shut out');
      yield page;
    }
  } finally {
    running.set(office, (running.get(office) ?? 1) - 1);
  }
}
