import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import { control } from '../control.ts';
import { counted, policyCommand } from '../words.ts';

const RETRY_SECONDS = 1;

/** Concurrency: requests in flight of the project and of the key. */
export const concurrency = control(
  'concurrency',
  (policy) => policy.concurrencies,
  (section, request) => judge(request, 'project', section.projectRequests) ?? judge(request, 'key', section.keyRequests),
);

function judge(request: Case, scope: 'project' | 'key', limit: number | null): Finding | null {
  if (limit === null) return null;
  const inFlight = request.state.inFlight(scope, request.who);
  if (inFlight < limit) return null;
  const field = scope === 'project' ? 'concurrency.requests' : 'concurrency.key_requests';
  const raise = `raise ${field} with: ${policyCommand(request.policy)}`;
  const remedy = limit === 0 ? `R${raise.slice(1)}` : `Wait for one of them to end, or ${raise}`;
  return {
    control: 'concurrency',
    reason: 'concurrency_limit',
    rule: `${scope} concurrency`,
    limit: `${counted(limit, 'request')} in flight`,
    observed: `${counted(inFlight, 'request')} in flight`,
    remedy,
    message: `The ${scope} has ${counted(inFlight, 'request')} in flight, and ${limit} is the limit. ${remedy}`,
    ...(limit === 0 ? { retryable: false } : { retryAfterSeconds: RETRY_SECONDS }),
  };
}
