import type { UpstreamRequest } from './upstream.ts';

/** The request with a signal of its own where it is only told how to be stopped: for engines that wait on signals. */
export function withSignal(request: UpstreamRequest): UpstreamRequest {
  if (!request.onStoppable) return request;
  const stopper = new AbortController();
  request.onStoppable(() => stopper.abort());
  return { ...request, signal: stopper.signal };
}
