/**
 * `bun test/bench/long-ledger.bench.ts [requests]`: a ledger of ten million requests beside an empty one, over the built binary.
 * How long it takes to start, to list, to sum up usage, and what a request costs more. Linux only. Exit code 1 when a goal is missed.
 */
import { loadConfig } from '../../src/config.ts';
import { masterKeyHome } from '../../src/app.ts';
import { CHAIN_SEAL } from '../../src/ledger/sqlite/chain/key.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { startPanicly, type Panicly } from '../support/binary.ts';
import { fillLedger } from '../support/long-ledger.ts';
import { percentile } from '../support/percentile.ts';
import { contenderOf, inTurns, timesTheCost, OUT_OF_REACH } from './contenders.ts';
import { endProcesses, startPeer } from './processes.ts';
import { judged, printed, type Row } from './table.ts';

const requests = Number(process.argv[2] ?? 10_000_000);
const NINETY_DAYS_MS = 90 * 24 * 3_600_000;
const ASKED = 60;
const SHAPE = `${requests.toLocaleString('en')} requests in the ledger`;

const long = await startPanicly();
const empty = await startPanicly();
try {
  const upstream = await startPeer('upstream.ts');
  for (const one of [long, empty]) {
    await one.connect({ baseUrl: `http://127.0.0.1:${upstream.port}/v1` }, { kind: 'openai' });
    await one.policy(OUT_OF_REACH);
  }
  await long.stop();
  const sealKeys = masterKeyHome(loadConfig({ data: long.dataDir }, {})).masterKey.deriveAll(CHAIN_SEAL);
  console.error('filling the ledger');
  fillLedger(ledgerPath(long.dataDir), requests, NINETY_DAYS_MS / requests, Date.now() - 60_000, sealKeys);
  const rows = [await startRow(long), ...(await readRows(long)), await costRow()];
  console.log(printed(rows));
  process.exitCode = rows.some(({ met }) => met === false) ? 1 : 0;
} finally {
  await long.kill();
  await empty.kill();
  endProcesses();
}

async function startRow(one: Panicly): Promise<Row> {
  const tookMs: number[] = [];
  for (let round = 0; round < 5; round++) {
    const from = performance.now();
    await one.start();
    tookMs.push(performance.now() - from);
    if (round < 4) await one.stop();
  }
  const median = percentile(tookMs, 0.5);
  return judged(
    SHAPE,
    'start, until it listens',
    `${median.toFixed(0)} ms (slowest ${Math.max(...tookMs).toFixed(0)} ms)`,
    'under 1000 ms',
    median < 1_000,
  );
}

async function readRows(one: Panicly): Promise<Row[]> {
  const rows: Row[] = [];
  for (const path of ['/decisions?limit=50', '/decisions?limit=50&decision=deny', '/usage?group_by=day', '/usage?group_by=day,model']) {
    const tookMs: number[] = [];
    for (let round = 0; round < ASKED; round++) {
      const from = performance.now();
      await one.ask(path);
      tookMs.push(performance.now() - from);
    }
    const p95 = percentile(tookMs, 0.95);
    rows.push(judged(SHAPE, path, `p50 ${percentile(tookMs, 0.5).toFixed(1)} ms, p95 ${p95.toFixed(1)} ms`, 'p95 under 100 ms', p95 < 100));
  }
  return rows;
}

async function costRow(): Promise<Row> {
  const contenders = [contenderOf(empty, 'empty', empty.liveKey), contenderOf(long, 'long', long.liveKey)];
  const [short, full] = await inTurns(contenders, { body: 'small', connections: 64, requests: 8_000 }, 9, 40_000);
  const ratio = timesTheCost(full!, short!);
  const text = `${full!.cpuMicroseconds.toFixed(0)} us CPU a request, ${ratio.toFixed(2)} times that of an empty ledger`;
  return judged(SHAPE, 'a request', text, 'at most 1.1 times', ratio <= 1.1);
}
