import { join } from 'node:path';
import { formatUsd, parseUsd } from '../../src/domain/money.ts';
import { eventually, OPEN_POLICY, runPanicly, startPanicly, type Panicly } from './binary.ts';
import { ledgerDifferences, reading } from './ledger-file.ts';
import { chatCompletion, chatStream, startMockProvider, type Behaviour, type MockProvider, type SeenRequest } from './mock-provider.ts';

/** The scopes that stand around each other; one of them is the tightest. */
export const NESTED = ['key', 'project', 'workspace'] as const;

export type Nested = (typeof NESTED)[number];

/** What a round saw. */
export interface BinaryRound {
  readonly sent: number;
  readonly arrived: number;
  /** Requests that their client gave up. */
  readonly aborted: number;
  /** Requests whose decision could not be written in time: on a machine that is busy with other things. */
  readonly unavailable: number;
  /** The most that was settled and held at any row, as a share of the tightest limit. */
  readonly fullest: number;
  /** What must not be. */
  readonly findings: readonly string[];
}

const ROOM = 40;
const CLIENTS = 200;
const TURNS = 3;
const LONGEST_PAUSE_MS = 60;
const KEYS = 2;
const LONGEST_WAIT_MS = 25;
const PERIODS = { key: 'month', project: 'day', workspace: 'week' } as const;

interface Scene {
  readonly panicly: Panicly;
  readonly provider: MockProvider;
  readonly keys: readonly string[];
}

/** Hundreds of requests at once on a budget with room for 40 holds, inside two wider ones; then looks at every row. */
export async function binaryCeilingRound(tightest: Nested): Promise<BinaryRound> {
  const provider = await startMockProvider({ script: ordinary });
  const panicly = await startPanicly();
  try {
    await panicly.connect(provider, { kind: 'openai' });
    const limitNanoUsd = (await holdOfOne(panicly)) * ROOM;
    await surround(panicly, tightest, limitNanoUsd);
    const keys = [panicly.liveKey];
    while (keys.length < KEYS) keys.push((await panicly.makeKey({ name: `key ${keys.length}` })).key);
    provider.reset();
    const crowd = await crowdOf({ panicly, provider, keys });
    await eventually('nothing is in flight', async () => (await panicly.metric('panicly_requests_in_flight')) === 0);
    const code = await panicly.stop();
    const ledger = join(panicly.dataDir, 'panicly.db');
    const fullest = fullestOf(ledger, tightest);
    const verified = await runPanicly(['ledger', 'verify', '--data', panicly.dataDir]);
    const findings = [
      ...(code === 0 ? [] : [`the server ended with ${code}: ${panicly.stderr()}`]),
      ...(verified.code === 0 ? [] : [`ledger verify: ${verified.stdout}${verified.stderr}`]),
      ...ledgerDifferences(ledger),
      ...(fullest <= limitNanoUsd ? [] : [`${fullest} nano-USD were settled and held, the limit is ${limitNanoUsd}`]),
      ...(crowd.refused > 0 ? [] : ['the budget was never full: the round proves nothing']),
    ];
    const { aborted, unavailable } = crowd;
    return { sent: CLIENTS * TURNS, arrived: provider.seen.length, aborted, unavailable, fullest: fullest / limitNanoUsd, findings };
  } finally {
    await panicly.kill();
    await provider.close();
  }
}

/** The hold of a request of the crowd, nano-USD: asked with no budget near, and answered with an error, which costs nothing. */
async function holdOfOne(panicly: Panicly): Promise<number> {
  await panicly.policy({ ...OPEN_POLICY, budgets: [{ scope: 'project', period: 'total', limit_usd: '1000' }] });
  const response = await panicly.post('/v1/chat/completions', panicly.liveKey, bodyOf(0, 'free'));
  await response.bytes();
  return parseUsd(response.headers.get('x-panicly-cost-hold-usd') ?? '')!;
}

async function surround(panicly: Panicly, tightest: Nested, limitNanoUsd: number): Promise<void> {
  const budget = (scope: Nested) => ({
    scope,
    period: PERIODS[scope],
    limit_usd: formatUsd(scope === tightest ? limitNanoUsd : limitNanoUsd * KEYS * 2),
  });
  const { data } = await panicly.ask<{ data: { id: string }[] }>('/workspaces');
  await panicly.ask(`/workspaces/${data[0]!.id}/policy`, { method: 'PUT', body: { budgets: [budget('workspace')] } });
  await panicly.policy({ ...OPEN_POLICY, budgets: [budget('key'), budget('project')] });
}

async function crowdOf(scene: Scene): Promise<{ readonly refused: number; readonly aborted: number; readonly unavailable: number }> {
  const sums = { refused: 0, aborted: 0, unavailable: 0 };
  const client = async (index: number): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) {
      const key = scene.keys[index % scene.keys.length]!;
      const end = await once(scene.panicly, key, index + turn).catch(() => 'aborted' as const);
      if (end !== 'answered') sums[end]++;
      await Bun.sleep(Math.random() * LONGEST_PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => client(index)));
  return sums;
}

/** One request; every second client gives up at a random moment. */
async function once(panicly: Panicly, key: string, index: number): Promise<'answered' | 'refused' | 'unavailable'> {
  const abort = new AbortController();
  if (index % 2 === 0) setTimeout(() => abort.abort(), Math.random() * LONGEST_WAIT_MS * 4);
  const response = await panicly.post('/v1/chat/completions', key, bodyOf(index, 'crowd'), { signal: abort.signal });
  await response.bytes();
  if (response.status === 503) return 'unavailable';
  return response.status === 403 ? 'refused' : 'answered';
}

/** The same hold for all: streams, answers and the one before the crowd differ in nothing that is priced. */
function bodyOf(index: number, user: string): object {
  const messages = [{ role: 'user', content: 'Name a tree.' }];
  return { model: 'gpt-4.1-mini', messages, user, max_tokens: 50, ...(index % 3 === 0 ? {} : { stream: true }) };
}

/** Long answers that cost nearly their hold, so that the budget fills with what is settled. */
function ordinary(request: SeenRequest): Behaviour {
  const { stream, user } = request.json() as { readonly stream?: boolean; readonly user: string };
  if (user === 'free') return chatCompletion('', { status: 500 });
  const intervalMs = Math.random() * 3;
  return stream === true
    ? chatStream(45, true, { intervalMs, cutAfter: Math.random() < 0.1 ? 20 : null })
    : chatCompletion('An oak.', { headDelayMs: Math.random() * LONGEST_WAIT_MS });
}

/** Walks through all rows in their order: the most that one account of the scope had settled and held at once, nano-USD. */
function fullestOf(ledger: string, scope: Nested): number {
  const account = scope === 'key' ? 'd.key_id' : scope === 'project' ? 'd.project_id' : '0';
  return reading(ledger, (db) => {
    const rows = db.query<{ account: number; change: number }, []>(
      `SELECT d.seq AS seq, ${account} AS account, d.hold_nano_usd AS change FROM decisions d WHERE d.reason IS NULL
       UNION ALL
       SELECT s.seq, ${account}, s.cost_nano_usd - d.hold_nano_usd FROM settlements s JOIN decisions d ON d.seq = s.decision_seq ORDER BY seq`,
    );
    const taken = new Map<number, number>();
    let fullest = 0;
    for (const row of rows.all()) {
      const now = (taken.get(row.account) ?? 0) + row.change;
      taken.set(row.account, now);
      fullest = Math.max(fullest, now);
    }
    return fullest;
  });
}
