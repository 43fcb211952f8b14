import type { ConfigFlags } from '../config.ts';
import type { FindingJson } from '../http/schemas/operator.ts';

/** What the first start made: every secret is in here once. */
export interface InitResult {
  readonly workspace_id: string;
  readonly project_id: string;
  readonly live_key: string;
  readonly test_key: string;
  readonly operator_token: string;
}

/** What verifying a ledger found. */
export interface VerifyResult {
  readonly ok: boolean;
  readonly decisions: number;
  readonly settlements: number;
  /** One sentence for each difference. Empty when all is well. */
  readonly problems: readonly string[];
  /** The first row that is not as the chain has it. */
  readonly first_bad_row: { readonly table: string; readonly seq: number; readonly change: string } | null;
  /** What could not be told. */
  readonly notes: readonly string[];
  /** The end of the chain as a line to keep elsewhere. */
  readonly head: string | null;
}

/** What a restore put in place. */
export interface RestoreResult {
  /** The data directory. */
  readonly data: string;
  readonly decisions: number;
  readonly settlements: number;
  /** The last seq of the backup, and the time of its last row. */
  readonly seq: number;
  readonly ledger_at: string;
  readonly chain_head: string | null;
  /** Whether a manifest lay beside the backup, and said the same. */
  readonly manifest: boolean;
  /** The file that the ledger of before is in now, or null. */
  readonly before: string | null;
  /** What could not be told. */
  readonly notes: readonly string[];
  /** Whether the master key of the backup still has to be brought here. */
  readonly needs_master_key: boolean;
}

/** What the command line cannot do over HTTP: the program passes it in. A `ConfigProblem` becomes one line and exit code 2. */
export interface CliHandlers {
  /** Starts the server. Resolves when it runs or has stopped; the process stays as long as the server does. */
  readonly serve: (flags: ConfigFlags) => Promise<void>;
  /** Makes workspace, project, keys and operator token without serving. Null when the data directory has them already. */
  readonly init: (flags: ConfigFlags) => Promise<InitResult | null>;
  /** Puts a checked backup in the place of the ledger. Throws a `CliProblem` when the answer is no. */
  readonly restore: (flags: ConfigFlags, file: string, moveAside: boolean) => Promise<RestoreResult>;
  /** Looks at the files, the configuration and the machine, and changes nothing. */
  readonly examine: (flags: ConfigFlags) => Promise<readonly FindingJson[]>;
  /** Proves the ledger in a data directory and recomputes its balances. `anchor` is a head that it must still have. */
  readonly verify: (flags: ConfigFlags, anchor?: string, onProgress?: (done: number, total: number) => void) => Promise<VerifyResult>;
}
