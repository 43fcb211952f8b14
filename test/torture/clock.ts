import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPanicly, temporaryDirectory, OPEN_POLICY, type Panicly } from '../support/binary.ts';
import { killFindings } from '../support/kill-rounds.ts';
import { reading } from '../support/ledger-file.ts';
import { markerOf, type Answered } from '../support/mixed-load.ts';
import { json, startMockProvider } from '../support/mock-provider.ts';
import { parseUsd } from '../../src/domain/money.ts';
import { diceOf } from './kit/dice.ts';
import { exchange } from './kit/exchange.ts';
import { Findings, portOf, reasonOf, stopFindings, verifyFindings } from './kit/judge.ts';
import { sized, type Row, type Size } from './row.ts';
import type { Line } from './table.ts';

/** The wall clock jumps: back and forth, over the ends of days and months, under a budget that is nearly always spent. */
export const clock: Row = {
  name: 'clock',
  needs: [{ program: 'faketime', debianPackage: 'faketime' }],
  limitMinutes: { full: 5, quick: 1, bite: 1 },
  bites: [
    {
      name: 'a clock that jumps back reopens a period',
      edits: [
        { file: 'src/ledger/time.ts', find: 'if (reckoned > this.#lastMs) this.#lastMs = reckoned;', replace: 'this.#lastMs = reckoned;' },
      ],
    },
    {
      name: 'a clock that jumps forward is believed',
      edits: [
        {
          file: 'src/ledger/time.ts',
          find: 'this.#confirmed = aheadMs <= BELIEVED_JUMP_MS;',
          replace: 'this.#confirmed = aheadMs <= Infinity * BELIEVED_JUMP_MS;',
        },
      ],
    },
  ],
  run: attack,
};

const ANSWER = json({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4.1-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'An oak.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 100, completion_tokens: 4, total_tokens: 104 },
});
const DAY_MS = 86_400_000;
/** Room for some eight requests a day, and for some days a month. */
const LIMIT_USD = { day: '0.0005', month: '0.003' } as const;
const FIRST_MS = Date.UTC(2027, 0, 30, 23, 59, 50);
const CONFIRMED_SHARE = 0.1;
const RESTARTED_EVERY = 40;
/** How far ahead of the monotonic clock the wall clock may be, as the ledger sees it, and how exactly this row knows it. */
const BELIEVED_MS = 5 * 60_000;
const DOUBT_MS = 2_000;
const LIBRARY = '/usr/lib/*/faketime/libfaketimeMT.so.1';

interface Scene {
  readonly panicly: Panicly;
  readonly clock: FakeClock;
  readonly dice: () => number;
  readonly findings: Findings;
  readonly answered: Answered[];
  readonly counts: Map<string, number>;
  sent: number;
}

async function attack(size: Size): Promise<Line> {
  const jumps = sized(size, { full: 500, quick: 60, bite: 40 });
  const fake = new FakeClock();
  const provider = await startMockProvider({ script: ANSWER });
  const panicly = await startPanicly({ env: fake.env });
  const scene: Scene = { panicly, clock: fake, dice: diceOf(11), findings: new Findings(), answered: [], counts: new Map(), sent: 0 };
  try {
    await panicly.connect(provider, { kind: 'openai' });
    const limits = (['day', 'month'] as const).map((period) => ({ scope: 'project', period, limit_usd: LIMIT_USD[period] }));
    await panicly.policy({ ...OPEN_POLICY, budgets: limits });
    await ask(scene);
    for (let turn = 0; turn < jumps; turn++) await jump(scene, turn);
    const stopped = await stopFindings(panicly);
    const ledger = join(panicly.dataDir, 'panicly.db');
    const arrived = provider.seen.map(markerOf);
    const rows = [
      ...killFindings(ledger, { arrived, answered: scene.answered }),
      ...spentFindings(ledger),
      ...(await verifyFindings(panicly.dataDir)),
    ];
    return {
      attack: `${jumps} jumps of the wall clock over the ends of days and months, budgets of a day and of a month`,
      goal: 'no budget reopened, no period opened that an operator has not confirmed, time never goes back, nothing lost',
      reached: `${scene.sent} requests, ${arrived.length} forwarded; ${[...scene.counts].map(([what, count]) => `${count} ${what}`).join(', ')}`,
      findings: [...scene.findings.list(), ...stopped, ...rows],
    };
  } finally {
    await panicly.kill();
    await provider.close();
  }
}

async function jump(scene: Scene, turn: number): Promise<void> {
  const { panicly, clock: fake, dice } = scene;
  if (turn % RESTARTED_EVERY === RESTARTED_EVERY - 1) {
    await panicly.stop();
    fake.by(-dice() * 40 * DAY_MS);
    await panicly.start();
    fake.believed();
    return await tried(scene, 'starts with a clock that was set back');
  }
  const days = dice() * (dice() < 0.5 ? 2 : 40);
  const kind = Math.floor(dice() * 4);
  if (kind === 0) fake.by(-days * DAY_MS);
  else if (kind === 1) fake.by(days * DAY_MS);
  else if (kind === 2) fake.by(dice() * 60_000);
  else return await overMidnight(scene, days);
  await tried(scene, ['back', 'far on', 'a little on'][kind]!);
  if (kind !== 1) return;
  if (dice() < CONFIRMED_SHARE) await confirm(scene);
  else fake.by(-days * DAY_MS);
  await ask(scene);
}

/** To the last seconds of a day, or of a month, which an operator confirms, and then over its end: that opens a period, and only that one. */
async function overMidnight(scene: Scene, days: number): Promise<void> {
  const { clock: fake } = scene;
  const then = new Date(fake.nowMs() + days * DAY_MS);
  const isMonth = days < 1;
  const end = isMonth ? Date.UTC(then.getUTCFullYear(), then.getUTCMonth() + 1, 1) : Math.ceil(then.getTime() / DAY_MS) * DAY_MS;
  fake.by(end - 1_500 - fake.nowMs());
  await ask(scene);
  await confirm(scene);
  await ask(scene);
  fake.by(2_000);
  await tried(scene, `over the end of a ${isMonth ? 'month' : 'day'}`);
  fake.by(-4_000);
  await tried(scene, 'back over that end');
}

async function tried(scene: Scene, what: string): Promise<void> {
  scene.counts.set(what, (scene.counts.get(what) ?? 0) + 1);
  await ask(scene);
}

async function confirm({ panicly, clock: fake, findings, counts }: Scene): Promise<void> {
  const confirmed = await panicly.operator('/ledger/confirm-clock', { method: 'POST' });
  if (!confirmed.ok) findings.add(`the clock could not be confirmed: ${confirmed.status}`, await confirmed.text());
  fake.believed();
  counts.set('confirmed', (counts.get('confirmed') ?? 0) + 1);
}

/** Some requests. While the clock is further ahead than is believed, nothing may be admitted; else only the budget may refuse. */
async function ask(scene: Scene): Promise<void> {
  const { panicly, findings, answered, clock: fake } = scene;
  for (let turn = 0; turn < 3; turn++) {
    const marker = `clock-${scene.sent++}`;
    const body = JSON.stringify({
      model: 'gpt-4.1-mini',
      user: marker,
      messages: [{ role: 'user', content: 'Name a tree.' }],
      max_tokens: 4,
    });
    const got = await exchange({ port: portOf(panicly), key: panicly.liveKey, body });
    const reason = reasonOf(got.body);
    const isStopped = got.status === 503 && reason === 'clock_unconfirmed';
    const isServed = got.status === 200 || (got.status === 403 && reason === 'project_budget');
    const isRight =
      fake.aheadMs > BELIEVED_MS + DOUBT_MS ? isStopped : fake.aheadMs < BELIEVED_MS - DOUBT_MS ? isServed : isStopped || isServed;
    if (!isRight)
      findings.add(
        `answered with ${got.status} ${reason ?? ''}`,
        `the clock is ${Math.round(fake.aheadMs / 1000)} s ahead: ${got.body.slice(0, 200)}`,
      );
    const decisionId = got.headers['x-panicly-decision-id'];
    if (decisionId !== undefined && got.status === 200) answered.push({ marker, decisionId, status: got.status });
  }
}

/** Whether time went back in the rows, or a day or a month has more than its budget. */
function spentFindings(ledger: string): string[] {
  return reading(ledger, (db) => {
    const rows = db.query<{ seq: number; at: number; cost: number }, []>(
      `SELECT seq, at_ms AS at, 0 AS cost FROM decisions UNION ALL SELECT seq, at_ms, cost_nano_usd FROM settlements ORDER BY seq`,
    );
    const findings: string[] = [];
    const spent = new Map<string, number>();
    let lastMs = 0;
    for (const { seq, at, cost } of rows.all()) {
      if (at < lastMs) findings.push(`time goes back by ${lastMs - at} ms at ${seq}`);
      lastMs = Math.max(lastMs, at);
      const day = new Date(at).toISOString().slice(0, 10);
      for (const period of [day, day.slice(0, 7)]) spent.set(period, (spent.get(period) ?? 0) + cost);
    }
    for (const [period, cost] of spent) {
      const limit = parseUsd(LIMIT_USD[period.length === 10 ? 'day' : 'month'])!;
      if (cost > limit) findings.push(`${cost} nano-USD were spent in ${period}, the limit is ${limit}`);
    }
    return findings;
  });
}

/** A wall clock that can be set while the process runs; the monotonic one goes on as it is. */
class FakeClock {
  readonly #file = join(temporaryDirectory(), 'offset');
  #offsetMs = FIRST_MS - Date.now();
  #believedMs = this.#offsetMs;

  constructor() {
    this.by(0);
  }

  get env(): Record<string, string> {
    const library = [...new Bun.Glob(LIBRARY.slice(1)).scanSync({ cwd: '/', onlyFiles: false })][0];
    if (library === undefined) throw new Error(`there is no ${LIBRARY}`);
    return { LD_PRELOAD: `/${library}`, FAKETIME_TIMESTAMP_FILE: this.#file, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' };
  }

  nowMs(): number {
    return Date.now() + this.#offsetMs;
  }

  /** How far it is ahead of where it was last believed, milliseconds. */
  get aheadMs(): number {
    return this.#offsetMs - this.#believedMs;
  }

  /** The server takes it for right as it is: it has started, or an operator said so. */
  believed(): void {
    this.#believedMs = this.#offsetMs;
  }

  by(ms: number): void {
    this.#offsetMs += Math.round(ms);
    const seconds = (this.#offsetMs / 1000).toFixed(3);
    writeFileSync(this.#file, this.#offsetMs < 0 ? seconds : `+${seconds}`);
  }
}
