import type { Refusal } from '../domain/errors.ts';

/** A refusal on its way to a face, with the decision that it belongs to when one was recorded. */
export class Refused {
  constructor(
    readonly refusal: Refusal,
    readonly decisionId: string | null = null,
  ) {}
}
