import { parseUsd } from '../../src/domain/money.ts';
import type { ProviderKind } from '../../src/domain/project.ts';
import { responseOf, World, type CallOptions } from './gateway.ts';
import { NOTHING } from './policies.ts';

/** A world for each kind of provider, with a budget out of reach and one price for every model that nobody knows. */
export class FlatWorlds {
  private constructor(private readonly worlds: ReadonlyMap<ProviderKind, World>) {}

  /** A million tokens of output cost a dollar, so money in micro-USD is a number of tokens; those of input cost `inputUsd`. */
  static async open(kinds: readonly ProviderKind[], inputUsd = '1'): Promise<FlatWorlds> {
    const pricing = { unknown_model_price: { input_usd_per_million: inputUsd, output_usd_per_million: '1' } };
    const policy = { ...NOTHING, budgets: [{ scope: 'project', period: 'day', limit_usd: '1000.00' }], pricing };
    const worlds = new Map<ProviderKind, World>();
    for (const kind of kinds) worlds.set(kind, await World.open({ policy, kind }));
    return new FlatWorlds(worlds);
  }

  get(kind: ProviderKind): World {
    return this.worlds.get(kind)!;
  }

  /** What a request holds, in tokens of a micro-USD. */
  async heldTokens(kind: ProviderKind, body: object | string, options: CallOptions = {}): Promise<number> {
    const answer = responseOf(await this.get(kind).call(body, options));
    await answer.arrayBuffer();
    return heldTokensOf(answer);
  }

  async close(): Promise<void> {
    for (const world of this.worlds.values()) await world.close();
  }
}

/** What an answer says that was held, in tokens of a micro-USD. */
export function heldTokensOf(answer: Response): number {
  return parseUsd(answer.headers.get('x-panicly-cost-hold-usd')!)! / 1_000;
}
