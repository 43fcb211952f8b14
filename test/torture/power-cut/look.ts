import { Database } from 'bun:sqlite';
import { belongingOf } from '../../../src/domain/belonging.ts';
import { ledgerPath } from '../../../src/ledger/sqlite/open.ts';
import { verifyLedger } from '../../../src/ledger/sqlite/verify.ts';
import { candidate, open } from '../../ledger/harness.ts';
import { ACCOUNT, HOLD_NANO_USD, LIMIT_NANO_USD, trueCostOf } from './plan.ts';

/** What the process had promised when the power went. */
export interface Promised {
  started: boolean;
  readonly decisions: Set<number>;
  readonly settlements: Set<number>;
}

interface Row {
  readonly seq: number;
  readonly cost: number | null;
}

/** Opens what a power cut left, as a start does, and says what must not be. */
export async function look(dataDir: string, promised: Promised): Promise<string[]> {
  const path = ledgerPath(dataDir);
  let spentNanoUsd: number;
  try {
    const opened = await open(dataDir);
    spentNanoUsd = opened.memory.balance(ACCOUNT, belongingOf(candidate()), opened.ledger.nowMs()).settledNanoUsd;
    await opened.close();
  } catch (error) {
    return [`it does not open: ${error instanceof Error ? error.message : String(error)}`];
  }
  const db = new Database(path, { readonly: true });
  const allows = 'SELECT d.seq, s.cost_nano_usd AS cost FROM decisions d LEFT JOIN settlements s ON s.decision_seq = d.seq';
  const rows = db.query<Row, []>(`${allows} WHERE d.reason IS NULL`).all();
  const workspaces = db.query<{ n: number }, []>('SELECT count(*) AS n FROM workspaces').get()!.n;
  db.close();
  return [
    ...(promised.started && workspaces !== 1 ? ['the first start is lost'] : []),
    ...lost(rows, promised),
    ...money(rows, promised, spentNanoUsd),
    ...verifyLedger(path).map(({ kind, detail }) => `${kind}: ${detail}`),
  ];
}

function lost(rows: readonly Row[], { decisions, settlements }: Promised): string[] {
  const costs = new Map(rows.map(({ seq, cost }) => [seq, cost]));
  const gone = [...decisions].filter((seq) => !costs.has(seq));
  const changed = [...settlements].filter((seq) => costs.has(seq) && costs.get(seq) !== trueCostOf(seq));
  return [
    ...(gone.length > 0 ? [`${gone.length} promised decisions are lost`] : []),
    ...(changed.length > 0 ? [`${changed.length} promised settlements are lost`] : []),
    ...(costs.size === rows.length ? [] : ['a decision is settled twice']),
  ];
}

function money(rows: readonly Row[], { decisions }: Promised, spentNanoUsd: number): string[] {
  const settled = rows.reduce((sum, { cost }) => sum + (cost ?? 0), 0);
  const strange = rows.filter(({ seq, cost }) => cost !== trueCostOf(seq) && cost !== HOLD_NANO_USD);
  const atLeast = [...decisions].reduce((sum, seq) => sum + trueCostOf(seq), 0);
  return [
    ...(strange.length > 0 ? [`${strange.length} decisions are settled at neither their cost nor their hold`] : []),
    ...(spentNanoUsd === settled ? [] : [`the balance is ${spentNanoUsd}, its rows say ${settled}`]),
    ...(spentNanoUsd < atLeast ? [`the period is richer than before: ${spentNanoUsd} spent, ${atLeast} were`] : []),
    ...(settled > LIMIT_NANO_USD ? [`${settled} are spent of ${LIMIT_NANO_USD}`] : []),
  ];
}
