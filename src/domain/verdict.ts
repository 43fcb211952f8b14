import type { Reason } from './errors.ts';
import type { NanoUsd } from './money.ts';

/** The controls, by the name that they have in a policy document and in rows. */
export type ControlName =
  | 'capacity'
  | 'network'
  | 'region'
  | 'models'
  | 'sentry'
  | 'burst'
  | 'abuse'
  | 'token_guard'
  | 'loop_guard'
  | 'concurrency'
  | 'features'
  | 'budgets';

/** What a control found against a request: the evidence that is shown to people and stored. */
export interface Finding {
  readonly control: ControlName;
  readonly reason: Reason;
  /** The rule that spoke, as it stands in the policy: `block 203.0.113.0/24`, `project day budget`. */
  readonly rule: string;
  /** The threshold and what was observed against it, ready to print: `10.00 USD`, `601 requests`. */
  readonly limit: string;
  readonly observed: string;
  /** What would have let the request pass, one sentence. */
  readonly remedy: string;
  /** The public sentence for the client. */
  readonly message: string;
  /** Overrides the reason's own retryable. */
  readonly retryable?: boolean;
  readonly retryAfterSeconds?: number;
}

/** What `decide` says. `observed` are findings of controls in observe mode. */
export type Verdict = Allowed | Denied;

/** The request may go, with this hold and cap. */
export interface Allowed {
  readonly allow: true;
  readonly holdNanoUsd: NanoUsd;
  /** Output cap for each choice that we put into the body, or null when the client's own (or the model's limit) stands. */
  readonly outputCap: number | null;
  /** The cap that the hold was computed with, tokens for each choice. */
  readonly heldOutputTokens: number;
  /** What the tightest enforced budget has left after this hold, or null when no budget applies. */
  readonly remainingNanoUsd: NanoUsd | null;
  /** What the request draws on: the plan's included volume, a credit, or nothing. */
  readonly draws: Draw;
  readonly observed: readonly Finding[];
}

/** Where the volume of a request comes from. */
export type Draw = 'none' | 'included' | 'credit';

/** The request is refused, by the first control that said no. */
export interface Denied {
  readonly allow: false;
  readonly finding: Finding;
  readonly observed: readonly Finding[];
  /** Overrides the status of a retryable refusal, from the policy's `retryable_status`. */
  readonly status?: number;
}
