import { Refusal } from '../domain/errors.ts';
import type { DecisionFilter, RecordedDecision } from '../ledger/store.ts';
import { filterOf, type DecisionQuestion } from './decisions.ts';
import type { Office } from './office.ts';
import { isLetIn } from './operators.ts';
import type { Scope } from './scope.ts';

/** How many people may watch at once, and how many decisions one look brings; what is more than that is said, not shown. */
const MAX_TAILS = 50;
const MAX_AT_ONCE = 200;
/** How many of the tails may be one operator's: nobody keeps all the others from looking. */
const MAX_OF_ONE = 10;

/** Who is watching now, by office: one program has one. */
const watching = new WeakMap<Office, Set<Tail>>();

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
    watchersOf(office).add(this);
  }

  /** What was decided since the last look, oldest first; nothing at the first one. Null once the operator may look no more. */
  async look(): Promise<readonly RecordedDecision[] | null> {
    if (!isLetIn(this.office, this.operatorId)) return null;
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
    watchersOf(this.office).delete(this);
  }
}

function watchersOf(office: Office): Set<Tail> {
  const before = watching.get(office);
  if (before) return before;
  const tails = new Set<Tail>();
  watching.set(office, tails);
  return tails;
}

/** Begins to watch. Throws a Refusal when too many do, or for a question about what does not exist. */
export function openTail(office: Office, scope: Scope, question: DecisionQuestion, operatorId: string): Tail {
  const filter = filterOf(office, scope, question);
  const tails = watchersOf(office);
  const own = [...tails].filter((tail) => tail.operatorId === operatorId).length;
  if (own >= MAX_OF_ONE) throw new Refusal('overloaded', `You are watching ${MAX_OF_ONE} times already. Close one of them.`);
  if (tails.size >= MAX_TAILS) throw new Refusal('overloaded', `${MAX_TAILS} are watching already. Close one of them.`);
  return new Tail(office, filter, operatorId);
}
