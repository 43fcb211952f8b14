import { afterEach, describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/clock.ts';
import { newSecret } from '../../src/domain/key.ts';
import { openLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { chatBody, jsonAnswer, refusalOf, responseOf, World, type WorldOptions } from '../support/gateway.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';

const writerUrl = new URL('../ledger/workers/faulty-writer.ts', import.meta.url).href;

let world: World | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

async function open(options: WorldOptions = {}): Promise<World> {
  world = await World.open({ ...options, ledger: { writerUrl, ...options.ledger } });
  return world;
}

const fault = ({ dataDir }: World, words: string): void => writeFileSync(join(dataDir, 'fault'), words);

async function outcomes({ opened }: World): Promise<unknown[]> {
  // The settlement of what was given up is made by the answer that the first one waits for.
  await opened.ledger.drain();
  await opened.ledger.drain();
  const { items } = await opened.store.listDecisions({}, null, 10);
  return items.map(({ settlement }) => settlement && [settlement.outcome, settlement.costNanoUsd]);
}

describe('durable first (I1)', () => {
  test('nothing arrives before its decision is committed', async () => {
    const held = await open();
    fault(held, 'stall 120');
    const call = held.call(chatBody());
    for (let look = 0; look < 5; look++) {
      await Bun.sleep(15);
      expect(held.upstream.arrived).toHaveLength(0);
    }
    expect(responseOf(await call).status).toBe(200);
    const [arrived] = held.upstream.arrived;
    expect(arrived).toBeDefined();
  });

  test('at its arrival the decision is in the file', async () => {
    const ready = await open();
    const found = Promise.withResolvers<unknown>();
    ready.upstream.reply = async () => {
      const { items } = await ready.opened.store.listDecisions({}, null, 10);
      found.resolve(items.map(({ decision, settlement }) => [decision.verdict.allow, settlement]));
      return jsonAnswer(500, {});
    };
    await ready.call(chatBody());
    expect(await found.promise).toEqual([[true, null]]);
  });

  test('a commit that fails forwards nothing', async () => {
    const failing = await open();
    fault(failing, 'die');
    expect(refusalOf(await failing.call(chatBody()))).toMatchObject({ reason: 'ledger_unavailable', status: 503 });
    expect([failing.upstream.arrived.length, failing.openHolds]).toEqual([0, 0]);
  });

  test('a commit that is late: 503, nothing arrives, settled as not sent', async () => {
    const late = await open({ ledger: { commitDeadlineMs: 225 } });
    fault(late, 'stall 600');
    const begun = performance.now();
    expect(refusalOf(await late.call(chatBody()))).toMatchObject({ reason: 'ledger_unavailable', status: 503 });
    expect(performance.now() - begun).toBeLessThan(550);
    expect(late.openHolds).toBe(1);
    expect(await outcomes(late)).toEqual([['not_sent', 0]]);
    expect([late.upstream.arrived.length, late.openHolds]).toEqual([0, 0]);
  });
});

describe('what happens while the decision is being written', () => {
  const cases: readonly [string, (world: World) => void, string][] = [
    [
      'the key is revoked',
      (held) => {
        held.changeKey(held.liveKey, { revokedAtMs: 1 });
        held.gateway.inFlight.cut('cut_revoked', () => true);
      },
      'revoked_key',
    ],
    ['the key is revoked, and nobody cuts', (held) => held.changeKey(held.liveKey, { revokedAtMs: 1 }), 'revoked_key'],
    [
      'Sentry Mode is switched on',
      (held) => {
        held.opened.memory.setSentry({ projectId: 1 }, true);
        held.gateway.inFlight.cut('cut_sentry', () => false);
      },
      'sentry_mode',
    ],
    ['the project is deleted', (held) => held.gateway.directory.dropProject(1), 'invalid_key'],
    ['the process is stopping', (held) => (held.gateway.stopping = true), 'shutting_down'],
  ];

  test.each(cases)('%s: nothing is sent', async (_, happens, reason) => {
    const held = await open();
    fault(held, 'stall 60');
    const call = held.call(chatBody());
    await Bun.sleep(15);
    expect(held.openHolds).toBe(1);
    happens(held);
    const refusal = refusalOf(await call);
    expect(refusal.reason).toBe(reason);
    expect(refusal.decisionId).toStartWith('dec_');
    expect(held.upstream.arrived).toHaveLength(0);
    expect(held.settlements.map(({ outcome, costNanoUsd, countsVolume }) => [outcome, costNanoUsd, countsVolume])).toEqual([
      ['not_sent', 0, false],
    ]);
    expect([held.openHolds, held.gateway.inFlight.size]).toEqual([0, 0]);
  });

  test('another key is revoked: it goes on', async () => {
    const held = await open();
    fault(held, 'stall 60');
    const call = held.call(chatBody());
    await Bun.sleep(15);
    held.changeKey(held.testKey, { revokedAtMs: 1 });
    held.gateway.inFlight.cut('cut_revoked', () => false);
    expect(responseOf(await call).status).toBe(200);
  });

  test('the client leaves: nothing is sent', async () => {
    const held = await open();
    fault(held, 'stall 60');
    const client = new AbortController();
    const call = held.call(chatBody(), { signal: client.signal });
    await Bun.sleep(15);
    client.abort();
    await call;
    expect(held.upstream.arrived).toHaveLength(0);
    expect(held.settlements.map(({ outcome, basis }) => [outcome, basis])).toEqual([['client_aborted', 'none']]);
    expect(held.openHolds).toBe(0);
  });
});

describe('what happens while the body arrives', () => {
  /** A request whose body ends when the test says so. */
  function slowCall(slow: World): { call: ReturnType<World['call']>; end: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    let sent = false;
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (sent) return controller.close();
        await promise;
        sent = true;
        controller.enqueue(new TextEncoder().encode(JSON.stringify(chatBody())));
      },
    });
    return { call: slow.call(stream), end: resolve };
  }

  test.each<[string, (world: World) => void, string]>([
    ['the key is revoked', (slow) => slow.changeKey(slow.liveKey, { revokedAtMs: 1 }), 'revoked_key'],
    ['the key expires', (slow) => slow.changeKey(slow.liveKey, { expiresAtMs: 1 }), 'expired_key'],
    ['the model is blocked', (slow) => slow.setPolicy({ models: { block: ['gpt-4.1-mini'] } }), 'model_blocked'],
    ['the key is replaced', (slow) => slow.changeKey(slow.liveKey, { projectId: 99 }), 'invalid_key'],
  ])('%s: it is judged as it is now', async (_, happens, reason) => {
    const slow = await open();
    const { call, end } = slowCall(slow);
    await Bun.sleep(1);
    happens(slow);
    end();
    expect(refusalOf(await call).reason).toBe(reason);
    expect([slow.upstream.arrived.length, slow.openHolds, slow.gateway.bodies.takenBytes]).toEqual([0, 0, 0]);
  });

  test('the time of a key passes: it is judged as it is now', async () => {
    const slow = await open();
    const { clock } = slow.gateway;
    slow.changeKey(slow.liveKey, { expiresAtMs: clock.nowMs() + 60_000 });
    const { call, end } = slowCall(slow);
    await Bun.sleep(1);
    Object.assign(slow.gateway, { clock: { ...clock, nowMs: () => clock.nowMs() + 60_000 } });
    end();
    expect(refusalOf(await call).reason).toBe('expired_key');
    expect([slow.upstream.arrived.length, slow.openHolds, slow.gateway.bodies.takenBytes]).toEqual([0, 0, 0]);
  });

  test('the body is given back whatever the end', async () => {
    const any = await open({ bodiesBytes: 10_000 });
    any.upstream.reply = () => {
      throw new Error('a bug');
    };
    for (const body of [chatBody(), '{', '{"model":1}', chatBody({ n: 0 })]) {
      await any.call(body).catch(() => null);
      expect(any.gateway.bodies.takenBytes).toBe(0);
    }
    await any.call(chatBody(), { key: newSecret('pk_live_') });
    expect(any.gateway.bodies.takenBytes).toBe(0);
  });
});

describe('when something breaks inside of us', () => {
  test('after sending, the hold is charged', async () => {
    const broken = await open();
    broken.upstream.reply = () => {
      throw new Error('a bug');
    };
    expect(broken.call(chatBody())).rejects.toThrow('a bug');
    await broken.upstream.arrivals(1);
    await Bun.sleep(1);
    expect(broken.settlements.map(({ outcome, basis }) => [outcome, basis])).toEqual([['upstream_interrupted', 'held']]);
    expect(broken.openHolds).toBe(0);
  });

  test('before sending, nothing is: a provider key that cannot be opened', async () => {
    const broken = await open();
    const { gateway, project, connection } = broken;
    const credential = {
      reveal: () => {
        throw new Error('wrong master key');
      },
    };
    gateway.directory.putProject({ ...project, connections: [{ ...connection, credential }] });
    expect(refusalOf(await broken.call(chatBody()))).toMatchObject({
      reason: 'upstream_auth',
      status: 502,
      message: expect.stringContaining(`panicly providers update ${connection.publicId} `),
    });
    expect(broken.settlements.map(({ outcome, costNanoUsd }) => [outcome, costNanoUsd])).toEqual([['not_sent', 0]]);
    expect([broken.upstream.arrived.length, broken.openHolds]).toEqual([0, 0]);
  });

  test('the door is closed while stopping, and when too much is in flight', async () => {
    const full = await open({ limits: { requestsInFlight: 1 } });
    const gate = Promise.withResolvers<void>();
    full.upstream.reply = async () => {
      await gate.promise;
      return jsonAnswer(200, {});
    };
    const first = full.call(chatBody());
    await full.upstream.arrivals(1);
    expect(refusalOf(await full.call(chatBody()))).toMatchObject({ reason: 'overloaded', status: 503 });
    full.gateway.stopping = true;
    expect(refusalOf(await full.call(chatBody()))).toMatchObject({ reason: 'shutting_down', status: 503 });
    gate.resolve();
    expect(responseOf(await first).status).toBe(200);
  });

  test.each([
    ['waits for its commit', {}, 'shutting_down'],
    ['has given up on its commit', { commitDeadlineMs: 30 }, 'ledger_unavailable'],
  ])('a request that %s while the ledger is closed was not sent, and the next start knows it', async (_name, ledger, reason) => {
    const held = await open({ ledger });
    fault(held, 'stall 300');
    const call = held.call(chatBody());
    await Bun.sleep(100);
    held.gateway.stopping = true;
    await held.opened.close();
    expect([refusalOf(await call).reason, held.upstream.arrived.length]).toEqual([reason, 0]);
    const opened = await openLedger({
      dataDir: held.dataDir,
      clock: systemClock,
      events: { onRefusedRow: () => {}, onHealth: () => {} },
      sealKeys: TEST_SEAL_KEYS,
    });
    Object.assign(held, { opened });
    expect(await outcomes(held)).toEqual([['not_sent', 0]]);
  });
});
