import { effectiveCap } from '../../domain/hold.ts';
import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import type { TokenGuardSection } from '../compiled.ts';
import { control } from '../control.ts';
import { guardOutputCap } from '../hold.ts';
import { counted, policyCommand } from '../words.ts';

/** Token guard: judges what the request will likely use, not the worst case. Output is counted over all choices; a clamp is made in `hold.ts`. */
export const tokenGuard = control(
  'token_guard',
  (policy) => policy.tokenGuards,
  (guard, request) => {
    const { quote } = request.candidate;
    if (guard.maxInputTokens !== null && (quote.inputTokenEstimate > guard.maxInputTokens || guard.maxInputTokens === 0))
      return finding(request, 'max_input_tokens', guard.maxInputTokens, quote.inputTokenEstimate, 'input');
    if (guard.maxTotalTokens !== null && quote.inputTokenEstimate > guard.maxTotalTokens)
      return finding(request, 'max_total_tokens', guard.maxTotalTokens, quote.inputTokenEstimate, 'input and output');
    return quote.choices === 0 ? null : judgeOutput(guard, request);
  },
);

function judgeOutput(guard: TokenGuardSection, request: Case): Finding | null {
  const { quote } = request.candidate;
  const wanted = effectiveCap(quote);
  const allowed = guardOutputCap(guard, quote);
  if (wanted <= allowed && allowed >= 1) return null;
  const isRefused = allowed < 1 || (!guard.clamps && quote.clientOutputCap !== null);
  if (!isRefused && !leavesTooLittle(guard, request, wanted, allowed)) return null;
  const isByTotal = guard.maxTotalTokens !== null && guard.maxTotalTokens - quote.inputTokenEstimate < (guard.maxOutputTokens ?? Infinity);
  const output = wanted * quote.choices;
  return isByTotal
    ? finding(request, 'max_total_tokens', guard.maxTotalTokens, quote.inputTokenEstimate + output, 'input and output')
    : finding(request, 'max_output_tokens', guard.maxOutputTokens ?? 0, output, 'output');
}

/** A limit on the total that cuts an answer below its floor would only make it worthless; a limit on output is what the operator wants. */
function leavesTooLittle(guard: TokenGuardSection, request: Case, wanted: number, allowed: number): boolean {
  const { quote } = request.candidate;
  const byOutput = Math.floor((guard.maxOutputTokens ?? Infinity) / quote.choices);
  return allowed < byOutput && allowed < Math.min(quote.outputFloor, wanted, byOutput);
}

function finding(request: Case, field: string, limit: number, observed: number, what: string): Finding {
  const remedy = `Send less, lower the request's output cap, or raise token_guard.${field} with: ${policyCommand(request.policy)}`;
  return {
    control: 'token_guard',
    reason: 'token_guard',
    rule: field,
    limit: counted(limit, 'token'),
    observed: counted(observed, 'token'),
    remedy,
    message: `The request could use about ${counted(observed, 'token')} of ${what}, and project ${request.policy.names.project} allows ${limit}. ${remedy}`,
  };
}
