import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import { control } from '../control.ts';
import { counted, durationText, policyCommand } from '../words.ts';

/** Loop guard: the same payload again and again, or the same tool call again and again inside one conversation. */
export const loopGuard = control(
  'loop_guard',
  (policy) => policy.loopGuards,
  ({ repeats, windowMs }, request) => {
    if (repeats === null) return null;
    const { candidate, state, who, nowMs } = request;
    const toolCalls = candidate.repeatedToolCalls;
    if (toolCalls > 0 && toolCalls >= repeats)
      return finding(request, repeats, 'the same tool call in one conversation', toolCalls, 'The conversation repeats its last tool call');
    const seen = state.repeatsWithin(candidate.fingerprint, who, windowMs, nowMs);
    return seen < repeats
      ? null
      : finding(request, repeats, `the same payload in ${durationText(windowMs)}`, seen, 'The same payload was sent');
  },
);

function finding(request: Case, limit: number, rule: string, observed: number, what: string): Finding {
  const remedy = `Stop the loop in the application, or raise loop_guard.repeats with: ${policyCommand(request.policy)}`;
  return {
    control: 'loop_guard',
    reason: 'loop_guard',
    rule,
    limit: counted(limit, 'time'),
    observed: counted(observed, 'time'),
    remedy,
    message: `${what}: ${rule} was seen ${counted(observed, 'time')}, and ${limit} is the limit. ${remedy}`,
  };
}
