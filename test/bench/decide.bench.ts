/** Run with `bun test/bench/decide.bench.ts`: prints what admission costs in microseconds. Targets: under 5, and under 10 with everything on. */
import { belongingOf } from '../../src/domain/belonging.ts';
import { LedgerState } from '../../src/ledger/state.ts';
import { decide } from '../../src/policy/decide.ts';
import { candidateOf, compiled, settlementOf } from '../support/policies.ts';

const ROUNDS = 200_000;
/** The first rounds are not counted: the compiler is still at work. */
const WARM_UP = 200_000;
const START_MS = Date.UTC(2026, 5, 15, 12);

const TEN_BUDGETS = [
  { scope: 'project', period: 'day', limit_usd: '1000000' },
  { scope: 'project', period: 'week', limit_usd: '1000000' },
  { scope: 'project', period: 'month', limit_usd: '1000000' },
  { scope: 'project', period: 'total', limit_usd: '1000000' },
  { scope: 'key', period: 'day', limit_usd: '1000000' },
  { scope: 'key', period: 'rolling', window_seconds: 600, limit_usd: '1000000' },
  { scope: 'user', period: 'day', limit_usd: '1000000' },
  { scope: 'key', period: 'month', limit_usd: '1000000', model: 'gpt-4.1*' },
  { scope: 'project', period: 'rolling', window_seconds: 3600, limit_usd: '1000000' },
  { scope: 'request', limit_usd: '100' },
];

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const common = { abuse: { limit_usd: '1000000' }, burst: { requests: 100_000 }, loop_guard: { repeats: 1000 }, budgets: TEN_BUDGETS };
const everything = {
  ...common,
  network: {
    block: range(150)
      .map((index) => `10.${index}.0.0/16`)
      .concat(range(50).map((index) => `2001:db8:${index.toString(16)}::/48`)),
  },
  region: { block: ['KP', 'region:antarctica'] },
  models: {
    allow: range(25)
      .map((index) => `family-${index}-*`)
      .concat(
        range(24).map((index) => `model-${index}`),
        'gpt-4.1*',
      ),
    block: ['o1-pro'],
  },
};

function measure(name: string, document: object, ips: readonly string[]): void {
  const policy = compiled(document);
  const state = new LedgerState();
  const samples = new Float64Array(ROUNDS);
  let seq = 0;
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const atMs = START_MS + seq * 2;
    const candidate = candidateOf({
      ip: ips[(round + WARM_UP) % ips.length]!,
      endUser: `user-${(round + WARM_UP) % 100}`,
      fingerprint: BigInt(round + WARM_UP),
    });
    const from = Bun.nanoseconds();
    const verdict = decide(policy, state, candidate, atMs);
    if (!verdict.allow) throw new Error(verdict.finding.message);
    state.open({ seq: ++seq, atMs, candidate, policyVersion: 1, verdict }, belongingOf(candidate));
    if (round >= 0) samples[round] = Bun.nanoseconds() - from;
    if (seq > 50) state.settle(settlementOf(seq - 50, 1_000), atMs);
  }
  samples.sort();
  const at = (share: number): string => (samples[Math.floor(ROUNDS * share)]! / 1000).toFixed(2);
  console.log(`${name}: median ${at(0.5)} us, p99 ${at(0.99)} us`);
}

measure('decide + hold, ten budgets', common, ['192.0.2.1']);
measure('decide + hold, 200 CIDRs, 50 patterns, ten budgets, IPv4', everything, ['192.0.2.1', '198.51.100.7']);
measure('decide + hold, 200 CIDRs, 50 patterns, ten budgets, IPv6', everything, ['2001:db8:ffff::1', '2a00:1450:4001::5']);
