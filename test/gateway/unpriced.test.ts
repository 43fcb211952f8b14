import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Refused } from '../../src/gateway/refused.ts';
import { chatBody, World } from '../support/gateway.ts';
import { NOTHING } from '../support/policies.ts';

/** A model that no price list has, and that therefore holds nothing. */
const UNKNOWN = 'nobody-knows-this-1';
const BUDGETS = [{ scope: 'project', period: 'day', limit_usd: '10.00' }];

describe('a model without a price (F11)', () => {
  let world: World;
  beforeAll(async () => void (world = await World.open()));
  afterAll(() => world.close());

  test.each([
    ['under a budget', { ...NOTHING, budgets: BUDGETS }],
    ['under the abuse limit', { ...NOTHING, abuse: { mode: 'enforce', limit_usd: '5.00' } }],
  ])('%s is refused and never sent', async (_, policy) => {
    world.setPolicy(policy);
    const before = world.upstream.arrived.length;
    const answer = await world.call(chatBody({ model: UNKNOWN }));
    expect(answer).toBeInstanceOf(Refused);
    expect((answer as Refused).refusal.reason).toBe('model_unpriced');
    expect(world.upstream.arrived).toHaveLength(before);
    expect(world.openHolds).toBe(0);
  });

  test.each([
    ['with an observed budget', { ...NOTHING, budgets: [{ ...BUDGETS[0], mode: 'observe' }] }],
    ['with no limit on money', NOTHING],
  ])('%s is forwarded', async (_, policy) => {
    world.setPolicy(policy);
    const before = world.upstream.arrived.length;
    expect(await world.call(chatBody({ model: UNKNOWN }))).toBeInstanceOf(Response);
    expect(world.upstream.arrived).toHaveLength(before + 1);
  });
});
