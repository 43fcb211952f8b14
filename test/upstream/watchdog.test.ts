import { describe, expect, test } from 'bun:test';
import { Watchdogs } from '../../src/upstream/watchdog.ts';

/** A wheel whose own timer is too slow to matter: the test makes the ticks. */
function wheel(): { readonly dogs: Watchdogs; readonly tick: (count: number) => void } {
  const dogs = new Watchdogs(3_600_000);
  return { dogs, tick: (count) => Array.from({ length: count }).forEach(() => dogs.tick()) };
}

const HOUR = 3_600_000;

describe('watchdogs', () => {
  test('expire once, never early', () => {
    const { dogs, tick } = wheel();
    let expired = 0;
    dogs.watch({ expired: () => expired++ }).arm(3 * HOUR);
    tick(3);
    expect(expired).toBe(0);
    tick(1);
    expect(expired).toBe(1);
    tick(10);
    expect(expired).toBe(1);
    expect(dogs.size).toBe(0);
  });

  test('sleep until they are armed, rest, and start anew', () => {
    const { dogs, tick } = wheel();
    let expired = 0;
    const dog = dogs.watch({ expired: () => expired++ });
    tick(100);
    dog.arm(5 * HOUR);
    tick(4);
    dog.arm(5 * HOUR);
    tick(4);
    dog.rest();
    tick(100);
    expect(expired).toBe(0);
    dog.arm(HOUR);
    tick(2);
    expect(expired).toBe(1);
  });

  test('an ended one never expires and is forgotten', () => {
    const { dogs, tick } = wheel();
    const dog = dogs.watch({ expired: () => expect.unreachable() });
    dog.arm(HOUR);
    dog.end();
    tick(5);
    expect(dogs.size).toBe(0);
  });

  test('work with the real timer, again after it stopped for want of work', async () => {
    const dogs = new Watchdogs(5);
    for (let round = 0; round < 2; round++) {
      await new Promise<void>((resolve) => dogs.watch({ expired: resolve }).arm(10));
      expect(dogs.size).toBe(0);
      await Bun.sleep(15);
    }
  });
});
