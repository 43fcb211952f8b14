import type { UpstreamRequest } from './upstream.ts';

/** The request with a signal of its own where it is only told how to be stopped: for engines that wait on signals. */
export function withSignal(request: UpstreamRequest): UpstreamRequest {
  if (!request.owner) return request;
  const stopper = new AbortController();
  request.owner.began({ hangUp: () => stopper.abort() });
  return { ...request, signal: stopper.signal };
}
