import { Refusal } from '../domain/errors.ts';
import type { DecisionFilter, RecordedDecision } from '../ledger/store.ts';
import { filterOf, type DecisionQuestion } from './decisions.ts';
import type { Office } from './office.ts';

/** How many people may watch at once, and how many decisions one look brings; what is more than that is said, not shown. */
const MAX_TAILS = 50;
const MAX_AT_ONCE = 200;

/** How many are watching now, by office: one program has one. */
const watching = new WeakMap<Office, number>();

/** New decisions, look by look. */
export class Tail {
  #lastSeq: number | null = null;
  #closed = false;

  constructor(
    readonly office: Office,
    readonly filter: DecisionFilter,
    /** Who watches: the tail ends when the operator is shut out. */
    readonly operatorId: string,
  ) {
    watching.set(office, (watching.get(office) ?? 0) + 1);
  }

  /** What was decided since the last look, oldest first; nothing at the first one. Null once the operator may look no more. */
  async look(): Promise<readonly RecordedDecision[] | null> {
    if (!this.office.registry.operators().some(({ publicId }) => publicId === this.operatorId)) return null;
    const { items } = await this.office.store.listDecisions(this.filter, null, this.#lastSeq === null ? 1 : MAX_AT_ONCE);
    const since = this.#lastSeq;
    this.#lastSeq = items[0]?.decision.seq ?? since ?? 0;
    return since === null ? [] : items.filter(({ decision }) => decision.seq > since).toReversed();
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Makes room for others. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    watching.set(this.office, (watching.get(this.office) ?? 1) - 1);
  }
}

/** Begins to watch. Throws a Refusal when too many do, or for a question about what does not exist. */
export function openTail(office: Office, question: DecisionQuestion, operatorId: string): Tail {
  const filter = filterOf(office, question);
  if ((watching.get(office) ?? 0) >= MAX_TAILS) throw new Refusal('overloaded', `${MAX_TAILS} are watching already. Close one of them.`);
  return new Tail(office, filter, operatorId);
}
