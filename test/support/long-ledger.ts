import { readOrMakeChainKey } from '../../src/ledger/sqlite/chain/key.ts';
import { openForWriting } from '../../src/ledger/sqlite/open.ts';
import { decisionRow, settlementRow, type Row } from '../../src/ledger/sqlite/rows.ts';
import { Transactor } from '../../src/ledger/sqlite/transactor.ts';
import { candidateOf, settlementOf } from './policies.ts';
import { TEST_SEAL_KEYS } from './seal-keys.ts';

const BATCH_ROWS = 4_096;
const MODELS = ['gpt-4.1', 'gpt-4.1-mini', 'o4-mini', 'text-embedding-3-small', 'gpt-4o'];

/** Adds `count` settled requests of project 1 to a ledger that nobody has open, `stepMs` apart, the last one at `endMs`. Every tenth is a denial. */
export function fillLedger(path: string, count: number, stepMs: number, endMs: number, sealKeys = TEST_SEAL_KEYS): void {
  const db = openForWriting(path);
  const transactor = new Transactor(db, readOrMakeChainKey(db, sealKeys, endMs));
  let { lastSeq, batch } = transactor.checkpoint();
  let rows: Row[] = [];
  const commit = (atMs: number): void => {
    const ending = transactor.batch({ batch: ++batch, lastSeq, lastAtMs: atMs }, rows);
    if (ending.kind !== 'committed') throw new Error('the rows were not written', { cause: ending.error });
    if (ending.value.length > 0) throw new Error(ending.value[0]!.message);
    rows = [];
  };
  for (let index = 0; index < count; index++) {
    const atMs = Math.floor(endMs - (count - 1 - index) * stepMs);
    const model = MODELS[index % MODELS.length]!;
    const candidate = candidateOf({
      model,
      connectionId: 0,
      ip: `198.51.100.${index % 200}`,
      endUser: index % 3 === 0 ? `user-${index % 500}` : null,
      fingerprint: BigInt(index) * 0x9e37_79b9_7f4a_7c15n,
      quote: { clientOutputCap: 500 },
    });
    const seq = ++lastSeq;
    const allowed = {
      allow: true,
      holdNanoUsd: 4_200_000,
      outputCap: null,
      heldOutputTokens: 500,
      remainingNanoUsd: null,
      draws: 'none',
      observed: [],
    } as const;
    const finding = {
      control: 'burst',
      reason: 'burst_protection',
      rule: 'project burst',
      limit: '1 request',
      observed: '2 requests',
      remedy: '',
      message: '',
    } as const;
    const verdict = index % 10 === 9 ? ({ allow: false, finding, observed: [] } as const) : allowed;
    rows.push(decisionRow({ seq, atMs, candidate, policyVersion: 2, verdict }, 1));
    if (verdict.allow) rows.push(settlementRow(++lastSeq, atMs, settlementOf(seq, 400_000 + (index % 977) * 1_000)));
    if (rows.length >= BATCH_ROWS) commit(atMs);
  }
  if (rows.length > 0) commit(endMs);
  transactor.emptyLog();
  transactor.close();
}
