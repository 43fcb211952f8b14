/** What a person at the command line has to know, in one line. Ends the program with `exitCode`. */
export class CliProblem extends Error {
  override readonly name = 'CliProblem';
  constructor(
    message: string,
    /** 2: the command was wrong or the server not reached. 1: it was understood, and the answer is no. */
    readonly exitCode: 1 | 2 = 2,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The server understood and said no. */
export class ServerRefusal extends CliProblem {
  constructor(
    message: string,
    readonly status: number,
    /** The path of the field that was wrong, or null. */
    readonly param: string | null,
  ) {
    super(message, 1);
  }
}
