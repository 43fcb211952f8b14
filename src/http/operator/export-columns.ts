import type { Registry } from '../../operator/registry.ts';
import type { CsvCell } from '../csv.ts';
import type { DecisionJson, UsageLineJson } from '../schemas/operator.ts';

/** The columns of exported decisions. New ones only ever come at the end. */
export const DECISION_COLUMNS = [
  'id',
  'at',
  'workspace_id',
  'project_id',
  'project',
  'key_id',
  'key',
  'environment',
  'route',
  'model',
  'requested_model',
  'stream',
  'decision',
  'reason',
  'count',
  'policy_version',
  'price_version',
  'ip',
  'country',
  'end_user',
  'hold_usd',
  'output_cap',
  'input_tokens_bound',
  'outcome',
  'basis',
  'cost_usd',
  'settled_cost_usd',
  'provider_cost_usd',
  'input_tokens',
  'cached_input_tokens',
  'output_tokens',
  'reasoning_tokens',
  'upstream_status',
  'first_byte_ms',
  'duration_ms',
  'overrun',
  'flags',
  'correction_note',
] as const;

/** A decision under `DECISION_COLUMNS`. `cost_usd` is what counts: the newest correction, or what it settled at. */
export function decisionCells(names: Names, row: DecisionJson): CsvCell[] {
  const { settlement, correction } = row;
  const cells: Readonly<Record<(typeof DECISION_COLUMNS)[number], CsvCell>> = {
    ...row,
    ...namesOf(names, row),
    outcome: settlement?.outcome,
    basis: settlement?.basis,
    cost_usd: correction?.cost_usd ?? settlement?.cost_usd,
    settled_cost_usd: settlement?.cost_usd,
    provider_cost_usd: settlement?.provider_cost_usd,
    input_tokens: settlement?.input_tokens,
    cached_input_tokens: settlement?.cached_input_tokens,
    output_tokens: settlement?.output_tokens,
    reasoning_tokens: settlement?.reasoning_tokens,
    upstream_status: settlement?.upstream_status,
    first_byte_ms: settlement?.first_byte_ms,
    duration_ms: settlement?.duration_ms,
    overrun: settlement?.overrun,
    flags: settlement?.flags.join(' '),
    correction_note: correction?.note,
  };
  return DECISION_COLUMNS.map((column) => cells[column]);
}

const SUMS = ['requests', 'input_tokens', 'cached_input_tokens', 'output_tokens', 'cost_usd'] as const;
/** Some groups have an id for their field, and a name beside it. */
const GROUP_COLUMNS: Readonly<Record<string, readonly string[]>> = { project: ['project_id', 'project'], key: ['key_id', 'key'] };

/** The columns of usage by these groups (a list with commas). */
export function usageColumns(groupBy: string): string[] {
  const groups = [...new Set(groupBy.split(',').map((group) => group.trim()))];
  return [...groups.flatMap((group) => GROUP_COLUMNS[group] ?? [group]), ...SUMS];
}

/** A line of usage under its columns. */
export function usageCells(names: Names, columns: readonly string[], line: UsageLineJson): CsvCell[] {
  const cells: Readonly<Record<string, CsvCell>> = { ...line, ...namesOf(names, line) };
  return columns.map((column) => cells[column]);
}

/** What projects and keys were called when an export began, by public id. */
export interface Names {
  readonly projects: ReadonlyMap<string, string>;
  readonly keys: ReadonlyMap<string, string>;
}

/** The names of all that is there; what was deleted has none. */
export function namesIn(registry: Registry): Names {
  return { projects: byPublicId(registry.projects.values()), keys: byPublicId(registry.keys.values()) };
}

function byPublicId(things: Iterable<{ readonly publicId: string; readonly name: string }>): ReadonlyMap<string, string> {
  return new Map([...things].map(({ publicId, name }) => [publicId, name]));
}

function namesOf(names: Names, { project_id, key_id }: { readonly project_id?: string; readonly key_id?: string }) {
  return { project: names.projects.get(project_id ?? ''), key: names.keys.get(key_id ?? '') };
}
