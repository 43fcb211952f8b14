/** Messages between the main thread and the writer Worker. */
import type { AuditEvent } from '../store.ts';
import type { CommandArgs, CommandName } from './commands.ts';
import type { Row } from './rows.ts';

/** Where the ledger stands, as its last transaction left it. */
export interface Checkpoint {
  /** The number of the last committed transaction. */
  readonly batch: number;
  readonly lastSeq: number;
  /** Ledger time of the last row, milliseconds since 1970. */
  readonly lastAtMs: number;
  /** No decision under this seq is without its settlement. */
  readonly lowestOpenSeq: number;
}

/** A transaction's number and what it makes the checkpoint say. */
export interface Stamp {
  readonly batch: number;
  readonly lastSeq: number;
  readonly lastAtMs: number;
}

/** Rows of decisions and settlements, in order: one transaction. */
export interface BatchRequest extends Stamp {
  readonly kind: 'batch';
  readonly rows: readonly Row[];
  /** The rows as JSON, when they came so. */
  readonly texts?: readonly string[];
}

/** An operator's write: one transaction of its own. */
export interface CommandRequest<Name extends CommandName = CommandName> extends Stamp {
  readonly kind: 'command';
  readonly name: Name;
  readonly args: CommandArgs<Name>;
  readonly audit: AuditEvent | null;
}

/** Opens the database and tells where it stands. */
export interface OpenRequest {
  readonly kind: 'open';
  readonly path: string;
  readonly nowMs: number;
  /** One of them seals the chain's key in the file, see `chain/key.ts`. Never the key that provider keys are sealed with. */
  readonly sealKeys: readonly Uint8Array[];
}

/** Writes something without meaning, to learn whether writing works. */
export interface ProbeRequest {
  readonly kind: 'probe';
  readonly batch: number;
}

/** Closes the database; the worker then ends by itself. */
export interface CloseRequest {
  readonly kind: 'close';
}

export type WriterRequest = BatchRequest | CommandRequest | OpenRequest | ProbeRequest | CloseRequest;

/** A row that the database refused although its batch is committed. */
export interface RefusedRow {
  readonly index: number;
  readonly message: string;
}

/** Whose fault a failure is: the disk's, the values' that were to be written, or the program's. */
export type Fault = 'disk' | 'values' | 'program';

/**
 * A batch as text, which is cheaper to send than a structured clone: its stamp in the first line, then a JSON array with a row in each
 * line. JSON text holds no line break of its own, so the rows can be taken apart without being read.
 */
export function encodeBatch({ rows, ...stamp }: BatchRequest): string {
  return `${JSON.stringify(stamp)}\n[${rows.map((row) => JSON.stringify(row)).join(',\n')}]`;
}

/** What `encodeBatch` made. */
export function decodeBatch(text: string): BatchRequest {
  const end = text.indexOf('\n');
  const rows = text.slice(end + 1);
  const stamp = JSON.parse(text.slice(0, end)) as Stamp & { readonly kind: 'batch' };
  return { ...stamp, rows: JSON.parse(rows) as Row[], texts: rows.slice(1, -1).split(',\n') };
}

export type WriterReply =
  | { readonly kind: 'opened'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'committed'; readonly batch: number; readonly refused: readonly RefusedRow[]; readonly value: unknown }
  | { readonly kind: 'failed'; readonly batch: number; readonly message: string; readonly fault: Fault }
  | { readonly kind: 'closed' };
