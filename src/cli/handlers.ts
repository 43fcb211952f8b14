import type { ConfigFlags } from '../config.ts';

/** What the first start made: every secret is in here once. */
export interface InitResult {
  readonly workspace_id: string;
  readonly project_id: string;
  readonly live_key: string;
  readonly test_key: string;
  readonly operator_token: string;
}

/** What recomputing the balances from the rows found. */
export interface VerifyResult {
  readonly ok: boolean;
  readonly decisions: number;
  readonly settlements: number;
  /** One sentence for each difference. Empty when all is well. */
  readonly problems: readonly string[];
}

/** What the command line cannot do over HTTP: the program passes it in. A `ConfigProblem` becomes one line and exit code 2. */
export interface CliHandlers {
  /** Starts the server. Resolves when it runs or has stopped; the process stays as long as the server does. */
  readonly serve: (flags: ConfigFlags) => Promise<void>;
  /** Makes workspace, project, keys and operator token without serving. Null when the data directory has them already. */
  readonly init: (flags: ConfigFlags) => Promise<InitResult | null>;
  /** Recomputes the balances of the ledger in a data directory and compares. */
  readonly verify: (flags: ConfigFlags) => Promise<VerifyResult>;
}
