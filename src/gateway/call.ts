import type { Route } from '../domain/candidate.ts';
import type { RequestMark } from './observer.ts';

/** One request as it came off the network. */
export interface Call {
  readonly route: Route;
  readonly request: Request;
  /** The address of the socket's other end, or null. */
  readonly peer: string | null;
  /** When it came in, milliseconds of the monotonic clock. */
  readonly arrivedMs: number;
  /** There when somebody follows this request. */
  readonly mark?: RequestMark | null;
  /** Called when an attempt is not over in a moment. */
  onLasting?(): void;
  /** Called when an attempt that lasted has ended; `wasStopped` when it did so before its time: its client may never read what is left. */
  onEnd?(wasStopped: boolean): void;
}
