import type { NanoUsd } from './money.ts';

/** The routes that applications may call and that are judged. */
export type Route = 'chat' | 'responses' | 'embeddings';

/** Live keys spend money; test keys are answered by the simulator and counted apart. */
export type Environment = 'live' | 'test';

/**
 * What a request may cost at most, as a function of its output cap. Every figure is an upper bound unless its name says estimate.
 * hold = inputHoldNanoUsd + priceOf(cap x choices, outputNanoUsdPerMillion), see `holdFor` in `hold.ts`.
 */
export interface Quote {
  /** False when no price is known for a model that the request could reach: the figures are then zero. */
  readonly priced: boolean;
  /** The version of the price list that made the figures. */
  readonly priceVersion: number;
  /** What the input will likely be, in tokens; the token guard judges this. */
  readonly inputTokenEstimate: number;
  /** What the input can be at most, in tokens. */
  readonly inputTokenBound: number;
  /** Input, fees, prediction and thinking that no cap bounds, at the dearest price that the request could reach. */
  readonly inputHoldNanoUsd: NanoUsd;
  /** The dearest output price that the request could reach, nano-USD per million tokens. */
  readonly outputNanoUsdPerMillion: number;
  /** `n`: how many answers are made. 0 for embeddings, which have no output. */
  readonly choices: number;
  /** The output cap that the client sent, tokens for each choice, or null. */
  readonly clientOutputCap: number | null;
  /** The greatest output that the model makes for each choice, in tokens. */
  readonly modelOutputLimit: number;
  /** The least cap that we may put in: under it an answer would be worthless. */
  readonly outputFloor: number;
  /** Why the request cannot be bounded or priced (field, tool, suffix), or null. Refused only where money is limited. */
  readonly unpricedFeature: string | null;
}

/** One request in our words: facts only. Nothing here changes after it was made. */
export interface Candidate {
  readonly route: Route;
  readonly environment: Environment;
  readonly workspaceId: number;
  readonly projectId: number;
  readonly keyId: number;
  /** The connection that will serve, or 0 for the simulator. */
  readonly connectionId: number;
  /** The name that the client sent. */
  readonly requestedModel: string;
  /** The catalogue's name of the model that the request asks for; the client's own spelling when unknown. */
  readonly model: string;
  /** Every model that the request could reach, fallbacks included, as catalogue names. The first is `model`. */
  readonly models: readonly string[];
  /** False when a name of `models` is not in the catalogue. */
  readonly modelKnown: boolean;
  readonly stream: boolean;
  /** The address of the sender in canonical form (IPv4-mapped IPv6 becomes IPv4), or null when unknown. */
  readonly ip: string | null;
  /** ISO 3166 code in capitals, or null when unknown. */
  readonly country: string | null;
  /** The end user that the request names, or null. */
  readonly endUser: string | null;
  /** The same for the same messages and tools: 64 bits as a bigint. */
  readonly fingerprint: bigint;
  /** How often the last tool call of the conversation was already made with the same arguments, in a row at its end. */
  readonly repeatedToolCalls: number;
  /** Ids of things stored at the provider that the request refers to. */
  readonly storedReferences: readonly string[];
  readonly quote: Quote;
}
