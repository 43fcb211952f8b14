import { control } from '../control.ts';
import { counted, durationText, policyCommand, usdText } from '../words.ts';
import { HELD_RETRY_SECONDS, passesWithoutHolds, standingText } from './held.ts';

const WHO = { key: 'This key', project: 'This project', sender: 'This sender', user: 'This end user' } as const;

/** Abuse detection: rolling spend, settled and held, of a key, project, sender or end user. */
export const abuse = control(
  'abuse',
  (policy) => policy.abuse,
  (cap, request) => {
    const { plan, policy } = request;
    const balance = plan.standings.abuse[cap.index]!;
    const spent = balance.settledNanoUsd + balance.heldNanoUsd;
    if (cap.limitNanoUsd > 0 && spent + plan.neededNanoUsd <= cap.limitNanoUsd) return null;
    const isTransient = cap.limitNanoUsd > 0 && passesWithoutHolds(plan, cap.limitNanoUsd, balance);
    const window = durationText(cap.windowMs);
    const figures = standingText(balance, plan.neededNanoUsd);
    const remedy = isTransient
      ? `Try again in ${counted(HELD_RETRY_SECONDS, 'second')}, when requests in flight have settled`
      : `Look for what spends with: panicly requests list, or raise abuse.limit_usd with: ${policyCommand(policy)}`;
    return {
      control: 'abuse',
      reason: 'abuse_detection',
      rule: `${cap.scope} spend in ${window}`,
      limit: usdText(cap.limitNanoUsd),
      observed: figures,
      remedy,
      message: `${WHO[cap.scope]} may spend ${usdText(cap.limitNanoUsd)} in ${window}: ${figures}. ${remedy}`,
      ...(isTransient ? { retryable: true, retryAfterSeconds: HELD_RETRY_SECONDS } : {}),
    };
  },
);
