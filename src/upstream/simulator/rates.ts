/** What the simulator costs and makes, in the units of the catalogue. Test money only: no provider is behind it. */
export interface SimulatorRates {
  /** nano-USD per million tokens. */
  readonly input: number;
  readonly cacheRead: number;
  readonly output: number;
  /** The largest context and the largest output, in tokens. */
  readonly contextLimit: number;
  readonly outputLimit: number;
}

/** Chat and responses: the prices and limits of gpt-4.1-mini (data/models.json, July 2026), for any model name. */
export const simulatorRates: SimulatorRates = {
  input: 400_000_000,
  cacheRead: 100_000_000,
  output: 1_600_000_000,
  contextLimit: 1_047_576,
  outputLimit: 32_768,
};
