import { hashSecret, isWellFormed, newSecret } from '../../src/domain/key.ts';
import { belongingOf } from '../../src/domain/belonging.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import { decide } from '../../src/policy/decide.ts';
import { Catalogue } from '../../src/pricing/catalogue.ts';
import { profileOf } from '../../src/pricing/profiles.ts';
import { makeQuote } from '../../src/pricing/quote.ts';
import { ratesFor } from '../../src/pricing/rates.ts';
import { readAnswer } from '../../src/wire/answer.ts';
import { readFacts } from '../../src/wire/facts.ts';
import { JsonBody, parseBody } from '../../src/wire/json.ts';
import { makeStreamReader } from '../../src/wire/stream.ts';
import models from '../../db/models.json';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from '../ledger/harness.ts';
import { candidateOf, compiled, settlementOf } from '../support/policies.ts';
import { cpuMicroseconds } from '../support/cpu.ts';
import { OUT_OF_REACH } from './contenders.ts';
import { bodyOf } from './peers/bodies.ts';
import { figure, judged, type Row } from './table.ts';

const SHAPE = 'one part alone, warm';
const ROUNDS = 100_000;
const REPEATS = 5;
const START_MS = Date.UTC(2026, 5, 15, 12);
/** Judging and holding, with ten budgets. */
const GREATEST_DECIDE_US = 5;
/** Admissions of the ledger's own measurement, and how many wait at the same time. */
const ADMISSIONS = 60_000;
const AT_ONCE = 64;

const CHUNK = Buffer.from(
  'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1790000000,"model":"gpt-4.1-mini","choices":[{"index":0,"delta":{"content":" oak"},"finish_reason":null}],"usage":null}\n\n',
);
const ANSWER = Buffer.from(
  '{"id":"chatcmpl-1","object":"chat.completion","created":1790000000,"model":"gpt-4.1-mini","choices":[{"index":0,"message":{"role":"assistant","content":"An oak is a tree."},"finish_reason":"stop"}],"usage":{"prompt_tokens":24,"completion_tokens":6,"total_tokens":30,"prompt_tokens_details":{"cached_tokens":0}}}',
);

const TEN_BUDGETS = ['day', 'week', 'month', 'total'].flatMap((period) => [
  { scope: 'project', period, limit_usd: '1000000' },
  { scope: 'key', period, limit_usd: '1000000' },
]);
TEN_BUDGETS.push({ scope: 'user', period: 'day', limit_usd: '1000000' }, { scope: 'user', period: 'month', limit_usd: '1000000' });

/** What each part of the path costs by itself, in a loop: so that a regression has an address. */
export async function parts(): Promise<Row[]> {
  const secret = newSecret('pk_live_');
  const bytes = Buffer.from(bodyOf('small'));
  const body = parseBody(bytes) as JsonBody;
  const catalogue = Catalogue.parse(models);
  const reach = [catalogue.resolve('openai', 'https://api.openai.com/v1', 'gpt-4.1-mini')];
  const profile = profileOf('openai', 'https://api.openai.com/v1');
  const rules = compiled(OUT_OF_REACH).pricing;
  const facts = readFacts('chat', body.value);
  if (!('route' in facts)) throw new Error('the small body is refused');
  const reader = makeStreamReader('chat', { stripUsage: 'none' });
  const decideUs = decideMicroseconds();
  return [
    timed('key: form, checksum, SHA-256', () => isWellFormed(secret) && hashSecret(secret)),
    timed('body of 200 bytes: strict JSON', () => parseBody(bytes)),
    timed('facts of a body', () => readFacts('chat', body.value)),
    timed('rates and bounds', () => makeQuote(facts, reach, profile, rules, 1, ratesFor(reach, facts, profile, rules))),
    judged(
      SHAPE,
      'decide and hold, ten budgets',
      `${decideUs.toFixed(2)} us`,
      `under ${GREATEST_DECIDE_US} us`,
      decideUs < GREATEST_DECIDE_US,
    ),
    timed('usage of an answer', () => readAnswer('chat', ANSWER)),
    timed('one chunk of a stream', () => reader.push(CHUNK)),
    await ledgerRow(),
  ];
}

function timed(who: string, run: () => unknown): Row {
  for (let round = 0; round < ROUNDS; round++) run();
  let best = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const from = Bun.nanoseconds();
    for (let round = 0; round < ROUNDS; round++) run();
    best = Math.min(best, (Bun.nanoseconds() - from) / ROUNDS);
  }
  return figure(SHAPE, who, `${(best / 1000).toFixed(2)} us`);
}

/** The median of one judgement with its hold, in microseconds, over a state that has seen spend. */
function decideMicroseconds(): number {
  const policy = compiled({ ...OUT_OF_REACH, budgets: TEN_BUDGETS });
  const state = new LedgerState();
  const samples = new Float64Array(ROUNDS);
  for (let round = -ROUNDS, seq = 0; round < ROUNDS; round++) {
    const atMs = START_MS + seq * 2;
    const request = candidateOf({ ip: '192.0.2.1', endUser: `user-${seq % 100}`, fingerprint: BigInt(seq) });
    const from = Bun.nanoseconds();
    const verdict = decide(policy, state, request, atMs);
    if (!verdict.allow) throw new Error(verdict.finding.message);
    state.open({ seq: ++seq, atMs, candidate: request, policyVersion: 1, verdict }, belongingOf(request));
    if (round >= 0) samples[round] = Bun.nanoseconds() - from;
    if (seq > 50) state.settle(settlementOf(seq - 50, 1_000), atMs);
  }
  return samples.toSorted()[ROUNDS >> 1]! / 1000;
}

/** An admission with its settlement, to the disk, CPU of all threads. */
async function ledgerRow(): Promise<Row> {
  using directory = temporaryDirectory();
  const { ledger, close } = await openSeeded(directory.path);
  const verdict = always(allowed());
  let made = 0;
  const client = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++)
      ledger.settle(settlement(await ledger.admit(candidate({ fingerprint: BigInt(made++) }), 1, verdict)));
  };
  const run = (count: number) => Promise.all(Array.from({ length: AT_ONCE }, () => client(Math.ceil(count / AT_ONCE))));
  await run(ADMISSIONS / 2);
  const before = cpuMicroseconds(process.pid);
  await run(ADMISSIONS);
  const each = (cpuMicroseconds(process.pid) - before) / ADMISSIONS;
  await close();
  return figure(SHAPE, 'ledger: admit and settle, to the disk', `${each.toFixed(1)} us CPU of all threads`);
}
