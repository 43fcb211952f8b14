import { formatUsd, parseUsd } from '../../src/domain/money.ts';
import { Refused } from '../../src/gateway/refused.ts';
import { chatBody, jsonAnswer, responseOf, World } from './gateway.ts';
import { NOTHING } from './policies.ts';

/** Which budgets stand around the requests; the named one has room for `ROOM` of them, the others for more. */
export const CEILINGS = {
  project: 'project_budget',
  key: 'key_budget',
  workspace: 'workspace_budget',
  user: 'user_budget',
} as const;

export type Ceiling = keyof typeof CEILINGS;

const ROOM = 100;
const CROWD = 1_000;

/** What a round saw. */
export interface Round {
  /** Requests that reached the provider while it was held still and all others were decided. */
  readonly arrived: number;
  readonly refused: Readonly<Record<string, number>>;
  /** The most that was held and settled together, nano-USD, and the limit. */
  readonly takenNanoUsd: number;
  readonly limitNanoUsd: number;
  /** Holds that were open after all had ended. */
  readonly leftOpen: number;
}

/**
 * 1,000 requests at once on a budget with room for 100, the provider held still until every one is decided.
 * After a round the provider refuses them all, which costs nothing, so that each round finds the same room.
 */
export async function ceilingRounds(ceiling: Ceiling, rounds: number): Promise<Round[]> {
  const holdNanoUsd = await holdOfOne();
  const limitNanoUsd = holdNanoUsd * ROOM + Math.floor(holdNanoUsd / 2);
  const world = await World.open(budgetsAround(ceiling, limitNanoUsd));
  const seen: Round[] = [];
  try {
    for (let round = 0; round < rounds; round++) seen.push(await oneRound(world, limitNanoUsd));
  } finally {
    await world.close();
  }
  return seen;
}

const request = () => chatBody({ user: 'ann' });

/** A request under an endless budget: what is put into its body costs what it costs in a round. */
async function holdOfOne(): Promise<number> {
  const world = await World.open(budgetsAround('project', 1e15));
  const response = responseOf(await world.call(request()));
  await world.close();
  return parseUsd(response.headers.get('x-panicly-cost-hold-usd')!)!;
}

function budgetsAround(tightest: Ceiling, limitNanoUsd: number): { policy: object; workspacePolicy: object } {
  const budget = (scope: Ceiling, period: string) => ({
    scope,
    period,
    limit_usd: formatUsd(scope === tightest ? limitNanoUsd : limitNanoUsd * 3),
  });
  return {
    policy: { ...NOTHING, budgets: [budget('key', 'month'), budget('project', 'day'), budget('user', 'total')] },
    workspacePolicy: { network: { mode: 'off' }, budgets: [budget('workspace', 'week')] },
  };
}

async function oneRound(world: World, limitNanoUsd: number): Promise<Round> {
  const gate = Promise.withResolvers<void>();
  const decided = Promise.withResolvers<void>();
  const refused: Record<string, number> = {};
  let refusals = 0;
  world.upstream.arrived.length = 0;
  world.upstream.reply = async () => {
    await gate.promise;
    return jsonAnswer(500, { error: {} });
  };
  const look = (): void => {
    if (refusals + world.upstream.arrived.length >= CROWD) decided.resolve();
  };
  const calls = Array.from({ length: CROWD }, async () => {
    const answer = await world.call(request());
    if (!(answer instanceof Refused)) return;
    refusals++;
    refused[answer.refusal.reason] = (refused[answer.refusal.reason] ?? 0) + 1;
    look();
  });
  void world.upstream.arrivals(ROOM).then(look);
  await decided.promise;
  const arrived = world.upstream.arrived.length;
  const takenNanoUsd = takenOf(world);
  gate.resolve();
  await Promise.all(calls);
  return { arrived, refused, takenNanoUsd, limitNanoUsd, leftOpen: world.openHolds };
}

function takenOf(world: World): number {
  let held = 0;
  for (const hold of world.opened.memory.openHolds()) held += hold.holdNanoUsd;
  return held + world.settlements.reduce((sum, { costNanoUsd }) => sum + costNanoUsd, 0);
}
