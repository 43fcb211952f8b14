import { belongingOf } from '../../domain/belonging.ts';
import type { Settlement } from '../../domain/decision.ts';
import type { NanoUsd } from '../../domain/money.ts';
import type { Allowed, Denied, Finding, Verdict } from '../../domain/verdict.ts';
import type { Act } from '../../ledger/replay/acts.ts';
import type { HistoryPage, RecordedRequest, RecordedSettlement } from '../../ledger/replay/pages.ts';
import type { CompiledPolicy } from '../../policy/compiled.ts';
import { decide } from '../../policy/decide.ts';
import type { PoliciesInForce } from './policies-in-force.ts';
import type { ReplayState } from './replay-state.ts';
import type { ReplayReport } from './report.ts';
import { Tally, type NotSpent } from './tally.ts';
import { costName, UsualCost } from './usual-cost.ts';

/** A request of the project whose settlement has not come yet. */
interface Awaited {
  readonly costName: string;
  readonly recordedHoldNanoUsd: NanoUsd;
  /** Null when the replay denied it. */
  readonly holdNanoUsd: NanoUsd | null;
  readonly notSpent: NotSpent | null;
}

/** What is asked of a player. */
export interface PlayerParts {
  readonly projectId: number;
  readonly state: ReplayState;
  readonly policies: PoliciesInForce;
  /** In the order of seq. */
  readonly acts: readonly Act[];
  /** Corrections of what settled before this are in the state already, milliseconds since 1970. */
  readonly exactFromMs: number;
}

/** What a state reads of a settlement is cost and volume; the rest is of no account. */
const SETTLED: Omit<Settlement, 'decisionSeq' | 'costNanoUsd' | 'countsVolume'> = {
  outcome: 'completed',
  basis: 'reported',
  usage: null,
  overrun: false,
  upstreamStatus: 0,
  firstByteMs: null,
  durationMs: 0,
  responseId: null,
};

/**
 * Plays recorded rows in the order of the ledger and judges the project's requests anew, on the state as it develops:
 * what is denied holds nothing and its settlement is passed over; what is newly allowed settles at once at its usual cost.
 * Other projects of the workspace are taken as they were.
 */
export class Player {
  readonly #tally = new Tally();
  readonly #awaited = new Map<number, Awaited>();
  /** Settled requests of the project that will be corrected. */
  readonly #settled = new Map<number, Awaited>();
  readonly #willBeCorrected: ReadonlySet<number>;
  readonly #usualCost = new UsualCost();
  #nextAct = 0;

  constructor(readonly parts: PlayerParts) {
    this.#willBeCorrected = new Set(parts.acts.flatMap((act) => (act.kind === 'correction' ? [act.decisionSeq] : [])));
  }

  /** Plays the rows of a page, and what operators did before the end of it. */
  play({ requests, settlements }: HistoryPage, toSeq: number): void {
    let settled = 0;
    for (const request of requests) {
      while (settled < settlements.length && settlements[settled]!.seq < request.seq) this.#settle(settlements[settled++]!);
      this.#act(request.seq);
      this.#judge(request);
    }
    while (settled < settlements.length) this.#settle(settlements[settled++]!);
    this.#act(toSeq);
  }

  /** The report, once everything was played. `costOf` tells what a decision cost that settled later, or null. */
  finish(costOf: (decisionSeq: number) => NanoUsd | null): ReplayReport {
    for (const [seq, awaited] of this.#awaited) {
      const costNanoUsd = costOf(seq);
      if (costNanoUsd === null) continue;
      if (awaited.notSpent) this.#tally.notSpent(awaited.notSpent, costNanoUsd);
      else this.#tally.spent(costNanoUsd, costUnder(awaited, costNanoUsd));
    }
    return this.#tally.report;
  }

  /** What operators did before a seq. A correction comes after its settlement, and no other act changes what a settlement does. */
  #act(beforeSeq: number): void {
    const { acts, state, policies } = this.parts;
    for (; this.#nextAct < acts.length && acts[this.#nextAct]!.seq < beforeSeq; this.#nextAct++) {
      const act = acts[this.#nextAct]!;
      if (act.kind === 'switch') state.setSentry(act.owner, act.enabled);
      else if (act.kind === 'credits') state.pendGrant(act);
      else if (act.kind === 'plan') policies.setCapacity(act.capacity);
      else this.#correct(act);
    }
  }

  #correct({ decisionSeq, who, label, deltaNanoUsd, settledAtMs }: Act & { kind: 'correction' }): void {
    const settled = this.#settled.get(decisionSeq);
    if (settled?.notSpent) return this.#tally.notSpent(settled.notSpent, deltaNanoUsd);
    if (settled !== undefined) this.#tally.spent(deltaNanoUsd, deltaNanoUsd);
    if (settledAtMs >= this.parts.exactFromMs) this.parts.state.correct({ who, label, costNanoUsd: deltaNanoUsd, atMs: settledAtMs });
  }

  #settle(row: RecordedSettlement): void {
    const awaited = this.#awaited.get(row.decisionSeq);
    if (awaited === undefined) return this.#settleAt(row, row.costNanoUsd);
    this.#awaited.delete(row.decisionSeq);
    if (this.#willBeCorrected.has(row.decisionSeq)) this.#settled.set(row.decisionSeq, awaited);
    this.#usualCost.learn(awaited.costName, row.costNanoUsd);
    if (awaited.notSpent) return this.#tally.notSpent(awaited.notSpent, row.costNanoUsd);
    const costNanoUsd = costUnder(awaited, row.costNanoUsd);
    this.#tally.spent(row.costNanoUsd, costNanoUsd);
    this.#settleAt(row, costNanoUsd);
  }

  #settleAt({ decisionSeq, countsVolume, atMs }: RecordedSettlement, costNanoUsd: NanoUsd): void {
    this.parts.state.settle({ ...SETTLED, decisionSeq, costNanoUsd, countsVolume }, atMs);
  }

  #judge(record: RecordedRequest): void {
    const { projectId, policies, state } = this.parts;
    const policy = policies.at(record.policyVersion);
    state.believe(record, policy.capacity[0]?.includedRequests ?? null);
    if (record.candidate.projectId !== projectId) return record.reason === null ? this.#open(record, asRecorded(record)) : undefined;
    if (record.reason === null) this.#judgeAllowed(record, policy);
    else this.#judgeDenied(record, policy);
  }

  #judgeAllowed(record: RecordedRequest, policy: CompiledPolicy): void {
    const verdict = this.#decide(record, policy);
    const { seq, candidate, holdNanoUsd: recordedHoldNanoUsd } = record;
    const { report } = this.#tally;
    this.#tally.row(record, verdict.allow ? 1 : 0, verdict.observed.length > 0 ? 1 : 0);
    const name = costName(candidate);
    if (!verdict.allow) {
      const notSpent = this.#tally.newlyDenied(record, verdict.finding);
      this.#awaited.set(seq, { costName: name, recordedHoldNanoUsd, holdNanoUsd: null, notSpent });
      return;
    }
    this.#open(record, verdict);
    this.#awaited.set(seq, { costName: name, recordedHoldNanoUsd, holdNanoUsd: verdict.holdNanoUsd, notSpent: null });
    if (verdict.holdNanoUsd !== recordedHoldNanoUsd) report.otherHold.requests++;
    if (!sameFindings(record.observed, verdict.observed)) report.otherObserved++;
  }

  /** A row of many equal denials is judged as many requests like its first, until one is denied: then all that follow are. */
  #judgeDenied(record: RecordedRequest, policy: CompiledPolicy): void {
    let costNanoUsd = 0;
    let allowed = 0;
    let observed = 0;
    let denied: Denied | null = null;
    while (allowed < record.count && denied === null) {
      const verdict = this.#decide(record, policy);
      if (verdict.allow) {
        allowed++;
        costNanoUsd += this.#spendAtOnce(record, verdict);
      } else denied = verdict;
      if (verdict.observed.length > 0) observed += verdict.allow ? 1 : record.count - allowed;
    }
    this.#tally.row(record, allowed, observed);
    if (allowed > 0) this.#tally.newlyAllowed(record, allowed, costNanoUsd);
    if (denied !== null && denied.finding.reason !== record.reason) this.#tally.report.otherReason += record.count - allowed;
    else if (denied !== null && !sameFindings(record.observed, denied.observed)) this.#tally.report.otherObserved += record.count - allowed;
  }

  #spendAtOnce(record: RecordedRequest, verdict: Allowed): NanoUsd {
    const costNanoUsd = this.#usualCost.of(costName(record.candidate), verdict.holdNanoUsd);
    this.#open(record, verdict);
    this.#settleAt({ seq: record.seq, decisionSeq: record.seq, atMs: record.atMs, costNanoUsd, countsVolume: true }, costNanoUsd);
    return costNanoUsd;
  }

  #decide({ candidate, atMs }: RecordedRequest, policy: CompiledPolicy): Verdict {
    return decide(policy, this.parts.state, candidate, atMs);
  }

  #open({ seq, atMs, candidate, policyVersion }: RecordedRequest, verdict: Allowed): void {
    this.parts.state.open({ seq, atMs, candidate, policyVersion, verdict }, belongingOf(candidate));
  }
}

/** What a request costs under its new hold: a smaller hold comes of a smaller output cap, which the answer then keeps to. */
function costUnder({ holdNanoUsd, recordedHoldNanoUsd }: Awaited, costNanoUsd: NanoUsd): NanoUsd {
  return holdNanoUsd === null || holdNanoUsd >= recordedHoldNanoUsd ? costNanoUsd : Math.min(costNanoUsd, holdNanoUsd);
}

function asRecorded({ holdNanoUsd, draws }: RecordedRequest): Allowed {
  return { allow: true, holdNanoUsd, outputCap: null, heldOutputTokens: 0, remainingNanoUsd: null, draws, observed: [] };
}

/** Whether the same controls spoke by the same rules. Figures may differ: coalesced rows keep those of their first request. */
function sameFindings(one: readonly Finding[], other: readonly Finding[]): boolean {
  return (
    one.length === other.length && one.every(({ reason, rule }, index) => reason === other[index]!.reason && rule === other[index]!.rule)
  );
}
