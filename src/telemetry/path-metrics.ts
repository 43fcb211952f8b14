import type { Environment } from '../domain/candidate.ts';
import type { Settlement } from '../domain/decision.ts';
import { formatUsd, type NanoUsd } from '../domain/money.ts';
import type { Attempt } from '../gateway/attempt.ts';
import type { Call } from '../gateway/call.ts';
import type { PathObserver } from '../gateway/observer.ts';
import type { Refused } from '../gateway/refused.ts';
import { OUTCOMES } from '../ledger/sqlite/codes.ts';
import type { Exposition, Labels, Sample } from './exposition.ts';
import { Histogram, LONG_SECONDS, SHORT_SECONDS } from './histogram.ts';
import { PROVIDER_LABELS, providerPlace } from './providers.ts';
import { RequestCounts } from './request-counts.ts';
import { CappedTable } from './series.ts';

/** Models that have series of their own, for each kind of provider. */
const MAX_MODELS = 100;
/** Projects that have series of their own. */
const MAX_PROJECTS = 200;

/** What a model used. Tokens are those that providers reported. */
class ModelTotals {
  costNanoUsd: NanoUsd = 0;
  inputTokens = 0;
  cachedInputTokens = 0;
  outputTokens = 0;
  reasoningTokens = 0;
}

/** Latency of one kind of provider; streamed answers apart. */
class ProviderTimes {
  readonly firstByte = [new Histogram(LONG_SECONDS), new Histogram(LONG_SECONDS)] as const;
  readonly duration = [new Histogram(LONG_SECONDS), new Histogram(LONG_SECONDS)] as const;
}

/** What the metrics need to know of the gateway. */
export interface PathMetricsOptions {
  readonly monotonicMs: () => number;
  /** The public id of a project, or null when it is gone. */
  readonly projectLabel: (projectId: number) => string | null;
}

/**
 * Counts what happens on the path. Everything is a number in a fixed table: a request allocates nothing here, and no text that a
 * client sent becomes a label. Counters begin at zero when the process starts.
 */
export class PathMetrics implements PathObserver {
  readonly #requests = new RequestCounts();
  readonly #settled = new Float64Array(OUTCOMES.length * PROVIDER_LABELS.length);
  readonly #models = PROVIDER_LABELS.map(() => new CappedTable<string, ModelTotals>(MAX_MODELS, () => new ModelTotals()));
  readonly #projects = new CappedTable<number, Record<Environment, NanoUsd>>(MAX_PROJECTS, () => ({ live: 0, test: 0 }));
  readonly #times: (ProviderTimes | undefined)[] = PROVIDER_LABELS.map(() => undefined);
  readonly #allowOverhead = new Histogram(SHORT_SECONDS);
  readonly #denyOverhead = new Histogram(SHORT_SECONDS);
  readonly #held: Record<Environment, NanoUsd> = { live: 0, test: 0 };
  #openStreams = 0;
  #overruns = 0;
  #flaggedUsage = 0;

  constructor(readonly options: PathMetricsOptions) {}

  admitted({ priced, verdict }: Attempt): void {
    const { route, environment, stream } = priced.candidate;
    this.#requests.allowed(route, environment);
    this.#held[environment] += verdict.holdNanoUsd;
    if (stream) this.#openStreams++;
  }

  refused({ route, arrivedMs }: Call, { refusal, denied, decisionId }: Refused): void {
    if (denied !== null) {
      this.#requests.denied(route, denied.candidate.environment, refusal.reason);
      this.#denyOverhead.observe((this.options.monotonicMs() - arrivedMs) / 1000);
    } else if (decisionId === null) this.#requests.refused(route, refusal.reason);
    else this.#requests.failed(route, refusal.reason);
  }

  ended(attempt: Attempt): void {
    const { candidate, connection } = attempt.priced;
    const settlement = attempt.settlement!;
    const provider = providerPlace(connection);
    if (candidate.stream) this.#openStreams--;
    this.#settled[OUTCOMES.indexOf(settlement.outcome) * PROVIDER_LABELS.length + provider]!++;
    if (settlement.overrun) this.#overruns++;
    this.#projects.of(candidate.projectId, this.options.projectLabel)[candidate.environment] += settlement.costNanoUsd;
    this.#count(this.#modelOf(attempt, provider), settlement);
    this.#time(attempt, settlement, provider);
  }

  /** Writes all of it. */
  writeTo(out: Exposition): void {
    this.#writeRequests(out);
    this.#writeMoney(out);
    this.#writeTimes(out);
  }

  /** Names that the catalogue does not know are whatever a client invents. */
  #modelOf({ priced }: Attempt, provider: number): ModelTotals {
    const table = this.#models[provider]!;
    const { model, modelKnown } = priced.candidate;
    return modelKnown && priced.connection !== null ? table.of(model, named) : table.other();
  }

  #count(totals: ModelTotals, { costNanoUsd, usage, basis, outcome }: Settlement): void {
    totals.costNanoUsd += costNanoUsd;
    if (usage === null) return;
    // What was told before a break is not all of it, and nothing was wrong with it.
    const isAll = basis === 'reported' || outcome === 'completed';
    if (isAll && usage.flags.length > 0) this.#flaggedUsage++;
    totals.inputTokens += usage.inputTokens;
    totals.cachedInputTokens += usage.cachedInputTokens;
    totals.outputTokens += usage.outputTokens;
    totals.reasoningTokens += usage.reasoningTokens;
  }

  #time(attempt: Attempt, settlement: Settlement, provider: number): void {
    const { arrivedMs, startedMs, sentMs, answeredMs } = attempt;
    const endedMs = startedMs + settlement.durationMs;
    const beforeMs = (sentMs ?? endedMs) - arrivedMs;
    this.#allowOverhead.observe((answeredMs === null ? beforeMs : beforeMs + (endedMs - answeredMs)) / 1000);
    if (sentMs === null) return;
    const times = (this.#times[provider] ??= new ProviderTimes());
    const kind = attempt.priced.candidate.stream ? 1 : 0;
    times.duration[kind].observe(((answeredMs ?? endedMs) - sentMs) / 1000);
    if (settlement.firstByteMs !== null) times.firstByte[kind].observe((startedMs + settlement.firstByteMs - sentMs) / 1000);
  }

  #writeRequests(out: Exposition): void {
    const requests = 'Requests by decision (allow, deny, or none when refused before it was judged) and reason. Each attempt counts.';
    out.counter('panicly_requests_total', requests, this.#requests.requests());
    out.counter(
      'panicly_failed_requests_total',
      'Admitted requests whose client was told of a failure, by reason.',
      this.#requests.failures(),
    );
    out.counter('panicly_settlements_total', 'Admitted attempts that were settled, by outcome.', this.#settlements());
    out.gauge('panicly_open_streams', 'Admitted streams that have not ended.', this.#openStreams);
  }

  #writeMoney(out: Exposition): void {
    const models = this.#models.flatMap((table, place) =>
      [...table.entries()].map(([model, totals]) => [{ provider: PROVIDER_LABELS[place]!, model }, totals] as const),
    );
    const cost = models.map(([labels, { costNanoUsd }]): Sample => [labels, formatUsd(costNanoUsd)]);
    out.counter('panicly_cost_usd_total', 'Settled cost by model. The simulator answers test keys and bills nothing.', cost);
    out.counter('panicly_project_cost_usd_total', 'Settled cost by project.', this.#projectCost());
    const held = 'Money that admissions have held, in all; what is held now is panicly_held_usd.';
    out.counter(
      'panicly_placed_holds_usd_total',
      held,
      (['live', 'test'] as const).map((environment) => [{ environment }, formatUsd(this.#held[environment])]),
    );
    out.counter('panicly_overruns_total', 'Settlements above their hold.', this.#overruns);
    const tokens = 'Reported tokens by model; cached_input is a part of input, reasoning a part of output.';
    out.counter('panicly_tokens_total', tokens, models.flatMap(tokenSamples));
    out.counter('panicly_flagged_usage_total', 'Answers whose reported usage had to be mended.', this.#flaggedUsage);
  }

  #writeTimes(out: Exposition): void {
    out.histogram('panicly_overhead_seconds', 'Time of a request without the wait for the provider, by decision.', [
      [{ decision: 'allow' }, this.#allowOverhead],
      [{ decision: 'deny' }, this.#denyOverhead],
    ]);
    const firstByte = "From handing a request to the provider's connection to the headers of the answer.";
    out.histogram('panicly_upstream_first_byte_seconds', firstByte, this.#timesOf('firstByte'));
    const duration = "From handing a request to the provider's connection to the end of the answer.";
    out.histogram('panicly_upstream_duration_seconds', duration, this.#timesOf('duration'));
  }

  #settlements(): Sample[] {
    const samples: Sample[] = [];
    for (const [at, count] of this.#settled.entries()) {
      if (count === 0) continue;
      const outcome = OUTCOMES[Math.floor(at / PROVIDER_LABELS.length)]!;
      samples.push([{ outcome, provider: PROVIDER_LABELS[at % PROVIDER_LABELS.length]! }, count]);
    }
    return samples;
  }

  #projectCost(): Sample[] {
    return [...this.#projects.entries()].flatMap(([project, cost]) =>
      (['live', 'test'] as const).map((environment): Sample => [{ project, environment }, formatUsd(cost[environment])]),
    );
  }

  #timesOf(which: keyof ProviderTimes): (readonly [Labels, Histogram])[] {
    return this.#times
      .flatMap((times, place) =>
        (['false', 'true'] as const).map((stream, kind) => {
          const histogram = times?.[which][kind];
          return histogram === undefined || histogram.count === 0
            ? null
            : ([{ provider: PROVIDER_LABELS[place]!, stream }, histogram] as const);
        }),
      )
      .filter((series) => series !== null);
  }
}

function named(model: string): string {
  return model;
}

function tokenSamples([labels, totals]: readonly [Labels, ModelTotals]): Sample[] {
  return [
    [{ ...labels, type: 'input' }, totals.inputTokens],
    [{ ...labels, type: 'cached_input' }, totals.cachedInputTokens],
    [{ ...labels, type: 'output' }, totals.outputTokens],
    [{ ...labels, type: 'reasoning' }, totals.reasoningTokens],
  ];
}
