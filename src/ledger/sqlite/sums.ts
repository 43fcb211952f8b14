/** The derived tables as the rows of decisions and settlements have them, in SQL. */
import { BASES, codeOf, OUTCOMES, UNSURE } from './codes.ts';
import { COST_IN_FORCE } from './corrections.ts';

const HOUR = 3_600_000;
const DAY = 86_400_000;

const LABEL = `iif(d.models IS NULL, d.model, (SELECT group_concat(value, ',') FROM json_each(d.models)))`;
const OUTCOME = `CASE s.outcome ${OUTCOMES.map((name, code) => `WHEN ${code} THEN '${name}'`).join(' ')} END`;
const MONTH = `CAST(strftime('%s', s.at_ms / 1000, 'unixepoch', 'start of month') AS INTEGER) * 1000`;

/** A settlement with its decision. */
export const SETTLED = 'settlements s JOIN decisions d ON d.seq = s.decision_seq';

/** `usage_rollups` of the decisions `d` that fit `where`. */
function rollupsOf(where = 'true'): string {
  return `SELECT s.at_ms - s.at_ms % ${HOUR}, d.project_id, d.key_id, d.test, ${LABEL}, coalesce(d.country, ''), ${OUTCOME}, count(*) AS requests,
      sum(coalesce(s.input_tokens, 0)), sum(coalesce(s.cached_input_tokens, 0)), sum(coalesce(s.output_tokens, 0)), sum(${COST_IN_FORCE})
    FROM ${SETTLED} WHERE ${where} GROUP BY 1, 2, 3, 4, 5, 6, 7
    UNION ALL
    SELECT d.at_ms - d.at_ms % ${HOUR}, d.project_id, d.key_id, d.test, ${LABEL}, coalesce(d.country, ''), d.reason, sum(d.count), 0, 0, 0, 0
    FROM decisions d WHERE d.reason IS NOT NULL AND ${where} GROUP BY 1, 2, 3, 4, 5, 6, 7`;
}

/** `balances` of the decisions `d` that fit `where`. */
function balancesOf(where = 'true'): string {
  return `SELECT 'user', d.project_id || ':' || coalesce(d.end_user, ''), d.test, s.at_ms - s.at_ms % ${DAY}, ${LABEL},
      sum(${COST_IN_FORCE}), count(*), 0
    FROM ${SETTLED} WHERE ${where} GROUP BY 2, 3, 4, 5
    UNION ALL
    SELECT 'workspace', CAST(p.workspace_id AS TEXT), d.test, ${MONTH}, '', 0, count(*), sum(d.draws = 2)
    FROM ${SETTLED} JOIN projects p ON p.id = d.project_id WHERE s.counts_volume = 1 AND ${where} GROUP BY 2, 3, 4`;
}

const KIND = `CASE WHEN EXISTS (SELECT 1 FROM corrections c WHERE c.decision_seq = s.decision_seq) THEN 'corrected'
  ${UNSURE.map((basis) => `WHEN s.basis = ${codeOf(BASES, basis)} THEN '${basis}'`).join(' ')} END`;

/** What the decisions `d` of live keys that fit `where` leave of doubts and of corrections. */
function doubtsOf(where: string): string {
  return `SELECT s.at_ms - s.at_ms % ${HOUR}, d.project_id, ${KIND} AS kind, count(*),
      sum(iif(${KIND} = 'corrected', ${COST_IN_FORCE} - s.cost_nano_usd, s.cost_nano_usd))
    FROM ${SETTLED} WHERE d.test = 0 AND kind IS NOT NULL AND ${where} GROUP BY 1, 2, 3`;
}

/** What stays of pruned rows: what its lines are named by, and what is summed. */
export interface Archive {
  readonly archive: 'archived_rollups' | 'archived_balances' | 'archived_doubts';
  readonly keys: readonly string[];
  readonly sums: readonly string[];
  readonly of: (where: string) => string;
}

/** A derived table, and what of it was pruned. */
export interface SumTable extends Archive {
  readonly table: 'usage_rollups' | 'balances';
  readonly of: (where?: string) => string;
}

export const SUM_TABLES: readonly SumTable[] = [
  {
    table: 'usage_rollups',
    archive: 'archived_rollups',
    keys: ['hour_ms', 'project_id', 'key_id', 'test', 'model', 'country', 'reason'],
    sums: ['requests', 'input_tokens', 'cached_input_tokens', 'output_tokens', 'cost_nano_usd'],
    of: rollupsOf,
  },
  {
    table: 'balances',
    archive: 'archived_balances',
    keys: ['scope', 'scope_id', 'test', 'period_start_ms', 'model'],
    sums: ['settled_nano_usd', 'requests', 'credits'],
    of: balancesOf,
  },
];

/** Everything that pruned rows leave. Each line of it is in the digest of its pruning. */
export const ARCHIVES: readonly Archive[] = [
  ...SUM_TABLES,
  { archive: 'archived_doubts', keys: ['hour_ms', 'project_id', 'kind'], sums: ['requests', 'cost_nano_usd'], of: doubtsOf },
];

/** What a derived table must be: what its rows say, and what pruned rows had said. */
export function wantedSums({ archive, keys, sums, of }: SumTable): string {
  const columns = [...keys, ...sums].join(', ');
  return `WITH said (${columns}) AS (${of()} UNION ALL SELECT ${columns} FROM ${archive})
    SELECT ${keys.join(', ')}, ${sums.map((name) => `sum(${name})`).join(', ')} FROM said GROUP BY ${keys.join(', ')}`;
}
