import type { Refusal } from '../domain/errors.ts';
import { newPublicId } from '../domain/ids.ts';
import type { Judged } from './price.ts';

/** A refusal on its way to a face, with the decision that it belongs to when one was recorded. */
export class Refused {
  #requestId: string | null = null;

  constructor(
    readonly refusal: Refusal,
    readonly decisionId: string | null = null,
    /** The request as it was judged, when the decision is a denial; null before a decision, and after one that allowed. */
    readonly denied: Judged | null = null,
    /** True when the request's body is still on its way: its connection must be closed. */
    readonly leavesBody = false,
  ) {}

  /** The id under which the request is found in the log: its decision's, or one of its own when it was not judged. */
  get requestId(): string {
    return this.decisionId ?? (this.#requestId ??= newPublicId('req'));
  }

  /** The same for a request whose body is still on its way. */
  leavingBody(): Refused {
    return new Refused(this.refusal, this.decisionId, this.denied, true);
  }
}
