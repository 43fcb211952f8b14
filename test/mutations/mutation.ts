/** A deliberate defect: the text that is found exactly once in the file, what stands there instead, and the tests that must see it. */
export interface Mutation {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Test files, of which at least one must go red. */
  readonly tests: readonly string[];
}
