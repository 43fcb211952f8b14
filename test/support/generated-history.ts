import { systemClock, type Clock } from '../../src/clock.ts';
import type { Candidate, Quote } from '../../src/domain/candidate.ts';
import type { Decision } from '../../src/domain/decision.ts';
import type { Allowed } from '../../src/domain/verdict.ts';
import { Directory } from '../../src/gateway/directory.ts';
import { openLedger, type OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { Registry } from '../../src/operator/registry.ts';
import { decide } from '../../src/policy/decide.ts';
import { defaultWorkspacePolicy, parsePolicy, parseWorkspacePolicy, PolicyProblem } from '../../src/policy/document.ts';
import { parseMasterKey } from '../../src/upstream/secrets.ts';
import { FIRST_START } from '../ledger/harness.ts';
import { candidateOf, NOTHING, settlementOf } from './policies.ts';
import { TEST_SEAL_KEYS } from './seal-keys.ts';

/** A clock that stands still until a test moves it: both of its sides. */
export class StandingClock implements Clock {
  constructor(private atMs: number) {}
  nowMs = (): number => this.atMs;
  monotonicMs = (): number => this.atMs;
  move(ms: number): void {
    this.atMs += ms;
  }
}

/** A day in the past, twenty minutes past the hour: a start then finds no sum of an earlier hour within ten minutes. */
export const BEGIN_MS = Math.floor(systemClock.nowMs() / 86_400_000) * 86_400_000 - 20 * 86_400_000 + 20 * 60_000;

/** A request as tests make it: what is left out is ordinary. */
export type Wanted = Partial<Omit<Candidate, 'quote'>> & { quote?: Partial<Quote> };

/** A ledger with its registry, judged and settled as the gateway does it, on a clock that the test moves. */
export class World {
  readonly clock = new StandingClock(BEGIN_MS);
  /** Allowed and not settled. */
  readonly open: (Decision & { readonly verdict: Allowed })[] = [];
  #ledger: OpenLedger | null = null;
  #registry: Registry | null = null;

  constructor(readonly dataDir: string) {}

  get ledger(): OpenLedger {
    return this.#ledger!;
  }

  get registry(): Registry {
    return this.#registry!;
  }

  /** Opens, or opens again. What was open is charged then, so it is forgotten here. */
  async start(policy: object = NOTHING): Promise<void> {
    const events = { onRefusedRow: (_: number, message: string) => fail(message), onHealth: () => {} };
    this.#ledger = await openLedger({
      dataDir: this.dataDir,
      clock: this.clock,
      events,
      sealKeys: TEST_SEAL_KEYS,
      commitDeadlineMs: 1e9,
    });
    this.open.length = 0;
    const { workspaces } = await this.ledger.store.loadDirectory();
    if (workspaces.length === 0)
      await this.ledger.store.firstStart({
        ...FIRST_START,
        workspacePolicy: JSON.stringify(defaultWorkspacePolicy()),
        projectPolicy: JSON.stringify(parsed(parsePolicy(policy))),
      });
    this.#registry = new Registry(
      await this.ledger.store.loadDirectory(),
      new Directory(),
      parseMasterKey(Buffer.alloc(32, 7).toString('base64')),
    );
  }

  async restart(): Promise<void> {
    await this.ledger.close();
    await this.start();
  }

  /** Judges a request by the policy in force. Its promise is awaited by `settled`. */
  async ask(wanted: Wanted): Promise<Decision> {
    const candidate = candidateOf(wanted);
    const { policy } = this.registry.directory.project(candidate.projectId)!;
    const decision = await this.ledger.ledger.admit(candidate, policy.version, (state, one, nowMs) => decide(policy, state, one, nowMs));
    if (decision.verdict.allow) this.open.push(decision as Decision & { readonly verdict: Allowed });
    return decision;
  }

  /** Settles the open request at `index`, at a share of its hold. */
  settle(index: number, share: number, countsVolume = true): void {
    const [decision] = this.open.splice(index, 1);
    if (decision === undefined) return;
    this.ledger.ledger.settle(settlementOf(decision.seq, Math.floor(decision.verdict.holdNanoUsd * share), { countsVolume }));
  }

  settleAll(share: number): void {
    while (this.open.length > 0) this.settle(0, share);
  }

  async setPolicy(document: object): Promise<void> {
    const json = JSON.stringify(parsed(parsePolicy(document)));
    this.registry.putPolicy(await this.ledger.store.savePolicy({ projectId: 1 }, json, 'opr_1'));
  }

  async setWorkspacePolicy(document: object): Promise<void> {
    const json = JSON.stringify(parsed(parseWorkspacePolicy(document)));
    this.registry.putPolicy(await this.ledger.store.savePolicy({ workspaceId: 1 }, json, 'opr_1'));
  }

  /** Changes the plan as the use case does, with the audit event that a replay reads. */
  async setIncluded(includedRequests: number | null): Promise<void> {
    const before = this.registry.workspaces.get(1)!;
    const change = { plan: 'custom' as const, includedRequests };
    const detail = { before: { plan: before.plan, includedRequests: before.includedRequests }, after: change };
    const audit = { actor: 'opr_1', action: 'workspace.update', subject: before.publicId, ip: null, detail };
    this.registry.putWorkspace((await this.ledger.store.updateWorkspace(1, change, audit))!);
  }

  /** Live requests of this month. */
  get usedRequests(): number {
    const who = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };
    return this.ledger.memory.volume(who, this.clock.nowMs()).usedRequests;
  }

  async correct(seq: number, costNanoUsd: number): Promise<void> {
    await this.ledger.ledger.drain();
    const recorded = await this.ledger.store.getDecision(seq);
    await this.ledger.store.correct(recorded!, costNanoUsd, 'the bill says so', 'opr_1');
  }

  async close(): Promise<void> {
    await this.ledger.ledger.drain();
    await this.ledger.close();
  }
}

function parsed<Document>(document: Document | PolicyProblem): Document {
  return document instanceof PolicyProblem ? fail(`${document.path}: ${document.message}`) : document;
}

function fail(message: string): never {
  throw new Error(message);
}

/** Dice that fall the same way every time. */
export class Dice {
  constructor(private state: number) {}

  /** A whole number from 0 to `sides` - 1. */
  roll(sides: number): number {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.state / 2 ** 32) * sides);
  }

  of<Item>(items: readonly Item[]): Item {
    return items[this.roll(items.length)]!;
  }
}

const CHEAP = { clientOutputCap: 1_000 };

/** Requests that meet every control: many are ordinary, some are what a control looks for. */
export function anyRequest(dice: Dice): Wanted {
  const test = dice.roll(6) === 0 ? ({ environment: 'test', keyId: 2, connectionId: 0 } as const) : {};
  const model = dice.of(['gpt-4.1', 'gpt-4.1-mini', 'o4-mini', 'o1-pro']);
  return {
    ...test,
    model,
    models: dice.roll(8) === 0 ? [model, 'gpt-4.1-nano'] : [model],
    ip: dice.of(['192.0.2.1', '192.0.2.2', '203.0.113.9', '2001:db8::1', null]),
    country: dice.of(['DE', 'FR', 'KP', null]),
    endUser: dice.of([null, null, 'ada', 'bob', 'eve']),
    fingerprint: BigInt(dice.roll(12)),
    repeatedToolCalls: dice.roll(30) === 0 ? 9 : 0,
    storedReferences: dice.roll(40) === 0 ? ['resp_1'] : [],
    quote: {
      ...(dice.roll(2) === 0 ? CHEAP : {}),
      inputTokenEstimate: dice.roll(25) === 0 ? 500_000 : 100,
      unpricedFeature: dice.roll(40) === 0 ? 'plugins' : null,
      priced: dice.roll(40) !== 0,
    },
  };
}

const OBSERVE = { mode: 'observe' } as const;

/** Policies that follow each other in a generated history. Rolling windows are ten minutes. */
export const POLICIES: readonly object[] = [
  { budgets: [{ scope: 'project', period: 'day', limit_usd: '3.00' }], burst: { requests: 14, key_requests: 12, window_seconds: 60 } },
  {
    abuse: { limit_usd: '4.00', window_seconds: 600 },
    loop_guard: { repeats: 3, window_seconds: 120 },
    concurrency: { requests: 7, key_requests: 6 },
    network: { block: ['203.0.113.0/24'] },
    budgets: [
      { scope: 'key', period: 'rolling', window_seconds: 600, limit_usd: '3.00' },
      { scope: 'user', period: 'day', limit_usd: '1.50' },
      { scope: 'project', period: 'week', limit_usd: '20.00', model: 'gpt-4.1*' },
      { scope: 'request', limit_usd: '0.50' },
    ],
  },
  {
    burst: { ...OBSERVE, requests: 5, window_seconds: 60 },
    abuse: { ...OBSERVE, limit_usd: '0.10' },
    region: { ...OBSERVE, block: ['KP'], unknown: 'block' },
    models: { ...OBSERVE, block: ['o1-pro'] },
    token_guard: { ...OBSERVE, max_input_tokens: 1_000 },
    budgets: [
      { ...OBSERVE, scope: 'project', period: 'day', limit_usd: '0.20' },
      { scope: 'project', period: 'total', limit_usd: '60.00' },
    ],
  },
  {
    region: { block: ['KP'] },
    models: { block: ['o1-pro'] },
    token_guard: { max_input_tokens: 1_000, max_output_tokens: 2_000 },
    budgets: [{ scope: 'project', period: 'month', limit_usd: '50.00' }],
    pricing: { allow_stored_references: true },
  },
];

/** Limits that a start brings back by the hour or the day: only for histories without a restart. */
export const LONG_WINDOWS: readonly object[] = [
  {
    abuse: { limit_usd: '1.40', window_seconds: 7_200, per: 'sender' },
    budgets: [{ scope: 'user', period: 'rolling', window_seconds: 18_000, limit_usd: '2.90' }],
  },
  { abuse: { limit_usd: '1.50', window_seconds: 1_800, per: 'user', key_limit_usd: '4.00' }, budgets: [] },
];

/** What a generated history is made of. */
export interface HistoryPlan {
  readonly seed: number;
  readonly steps: number;
  readonly policies: readonly object[];
  readonly restarts: boolean;
}

/** Lets everything happen that a ledger has rows for, in an order that the seed gives. Leaves some requests open. */
export async function makeHistory(world: World, plan: HistoryPlan): Promise<void> {
  const dice = new Dice(plan.seed);
  const settledSeqs: number[] = [];
  await world.setPolicy(plan.policies[0]!);
  for (let step = 0; step < plan.steps; step++) {
    const asked: Promise<Decision>[] = [];
    for (let left = 1 + dice.roll(12); left > 0; left--) {
      asked.push(world.ask(anyRequest(dice)));
      if (dice.roll(3) === 0) world.clock.move(dice.roll(200));
    }
    const decisions = await Promise.all(asked);
    while (world.open.length > dice.roll(16)) {
      settledSeqs.push(world.open[0]!.seq);
      world.settle(0, dice.of([0, 0.001, 0.05, 0.3, 1, 1.2]), dice.roll(9) !== 0);
    }
    await happen(world, dice, plan, step, settledSeqs);
    world.clock.move(dice.of([1, 50, 900, 5_000, 61_000]));
    if (decisions.length > 20) fail('too many');
  }
}

async function happen(world: World, dice: Dice, plan: HistoryPlan, step: number, settled: readonly number[]): Promise<void> {
  const { store } = world.ledger;
  const owner = dice.roll(2) === 0 ? { projectId: 1 } : { workspaceId: 1 };
  if (step % 41 === 7) await store.setSentry(owner, true, 'opr_1');
  if (step % 41 === 9) {
    // Not awaited: what is asked now is judged with the switch still on.
    const off = [store.setSentry({ projectId: 1 }, false, 'opr_1'), store.setSentry({ workspaceId: 1 }, false, 'opr_1')];
    await Promise.all([...off, ...[1, 2, 3].map(() => world.ask(anyRequest(dice)))]);
  }
  if (step % 29 === 28) await world.setPolicy(dice.of(plan.policies));
  if (step % 53 === 20)
    await world.setWorkspacePolicy({
      network: { block: ['2001:db8::/64'] },
      budgets: [{ scope: 'workspace', period: 'day', limit_usd: '8.00' }],
    });
  if (step % 53 === 40) await world.setWorkspacePolicy({ budgets: [{ scope: 'user', period: 'day', limit_usd: '2.50' }] });
  if (step % 67 === 30) await world.setIncluded(world.usedRequests + dice.roll(30));
  if (step % 67 === 45)
    await Promise.all([store.grantCredits(1, 25, 'gift', 'opr_1'), ...[1, 2, 3].map(() => world.ask(anyRequest(dice)))]);
  if (step % 67 === 60) await world.setIncluded(null);
  if (step % 37 === 11 && settled.length > 0)
    await world.correct(settled.at(-1 - dice.roll(Math.min(20, settled.length)))!, dice.roll(5_000_000));
  if (step % 101 === 100) {
    await world.ledger.ledger.drain();
    // To the same minute of a later hour.
    world.clock.move(3_600_000 * (1 + dice.roll(30)));
    if (plan.restarts) await world.restart();
  }
}
