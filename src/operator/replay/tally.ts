import type { Reason } from '../../domain/errors.ts';
import type { NanoUsd } from '../../domain/money.ts';
import type { Finding } from '../../domain/verdict.ts';
import type { RecordedRequest } from '../../ledger/replay/pages.ts';
import { emptyReport, type Changed, type ChangedExample, type ChangedGroup, type ReplayReport } from './report.ts';

const EXAMPLES = 10;
/** Clients choose model names: what comes after so many is counted together. */
const MAX_GROUPS = 1_000;
const OTHERS = '(others)';
const DAY_MS = 86_400_000;

/** A request that the replay denied and the ledger settled, or will: its money is not known before that. */
export interface NotSpent {
  readonly groups: readonly ChangedGroup[];
  readonly example: { costNanoUsd: NanoUsd | null } | null;
}

/** Counts what a replay finds. */
export class Tally {
  readonly report: ReplayReport = emptyReport();

  /** A row, with how it was and how many of its requests the replay lets go. */
  row(record: RecordedRequest, allowed: number, observed: number): void {
    const { before, after } = this.report;
    this.report.rows++;
    if (record.reason === null) before.allowed++;
    else before.denied += record.count;
    after.allowed += allowed;
    after.denied += record.count - allowed;
    if (record.observed.length > 0) before.observed += record.count;
    after.observed += observed;
  }

  newlyDenied(record: RecordedRequest, finding: Finding): NotSpent {
    const groups = this.#groupsOf(record, finding.reason);
    for (const group of groups) group.newlyDenied++;
    const example = addTo(this.report.newlyDenied, record, 1, null, finding.reason, finding, null);
    return { groups, example };
  }

  /** `costNanoUsd` is what the `requests` of the row are taken to cost together. */
  newlyAllowed(record: RecordedRequest, requests: number, costNanoUsd: NanoUsd): void {
    for (const group of this.#groupsOf(record, record.reason!)) {
      group.newlyAllowed += requests;
      group.newlySpentNanoUsd += costNanoUsd;
    }
    addTo(this.report.newlyAllowed, record, requests, record.reason, null, null, costNanoUsd);
    this.report.newlyAllowed.costNanoUsd += costNanoUsd;
    this.report.after.costNanoUsd += costNanoUsd;
  }

  /** A newly denied request had cost this, or this more. */
  notSpent({ groups, example }: NotSpent, costNanoUsd: NanoUsd): void {
    this.report.before.costNanoUsd += costNanoUsd;
    this.report.newlyDenied.costNanoUsd += costNanoUsd;
    for (const group of groups) group.notSpentNanoUsd += costNanoUsd;
    if (example !== null) example.costNanoUsd = (example.costNanoUsd ?? 0) + costNanoUsd;
  }

  /** A request that is allowed before and after cost `before`, and costs `after`. */
  spent(before: NanoUsd, after: NanoUsd): void {
    this.report.before.costNanoUsd += before;
    this.report.after.costNanoUsd += after;
    this.report.otherHold.notSpentNanoUsd += before - after;
  }

  #groupsOf({ candidate, atMs }: RecordedRequest, reason: Reason): ChangedGroup[] {
    const { byReason, byModel, byKey, byDay } = this.report;
    return [
      groupOf(byReason, reason),
      groupOf(byModel, candidate.model),
      groupOf(byKey, String(candidate.keyId)),
      groupOf(byDay, new Date(Math.floor(atMs / DAY_MS) * DAY_MS).toISOString().slice(0, 10)),
    ];
  }
}

function groupOf(groups: Map<string, ChangedGroup>, name: string): ChangedGroup {
  const own = groups.has(name) || groups.size < MAX_GROUPS ? name : OTHERS;
  let group = groups.get(own);
  if (group === undefined) groups.set(own, (group = { newlyDenied: 0, newlyAllowed: 0, notSpentNanoUsd: 0, newlySpentNanoUsd: 0 }));
  return group;
}

function addTo(
  changed: Changed,
  record: RecordedRequest,
  requests: number,
  before: Reason | null,
  after: Reason | null,
  finding: Finding | null,
  costNanoUsd: NanoUsd | null,
): { costNanoUsd: NanoUsd | null } | null {
  changed.requests += requests;
  if (changed.examples.length >= EXAMPLES) return null;
  const { keyId, model, endUser } = record.candidate;
  const { rule = null, limit = null, observed = null } = finding ?? {};
  const { seq, atMs } = record;
  const example: ChangedExample & { costNanoUsd: NanoUsd | null } = {
    seq,
    atMs,
    keyId,
    model,
    endUser,
    requests,
    before,
    after,
    rule,
    limit,
    observed,
    costNanoUsd,
  };
  changed.examples.push(example);
  return example;
}
