import { Refusal } from '../../domain/errors.ts';
import type { ApplyRequest, StepResult } from '../../ledger/apply-store.ts';
import { auditOf, type Actor, type Office } from '../office.ts';
import { refusalOf } from '../outcome.ts';
import { planAlerts } from './alerts.ts';
import { configurationState } from './export.ts';
import { Draft, type Plan, type PlanEntry } from './plan.ts';
import { planPrices } from './prices.ts';
import { planProjects } from './projects.ts';
import { readConfiguration } from './read.ts';
import { takeOverAll } from './take-over-all.ts';
import { planWorkspaces } from './workspaces.ts';

/** So many writes are one transaction: it takes less time than a request may wait for the ledger's writer. */
export const STEPS_AT_ONCE = 100;
/** How often a plan is made again because somebody else wrote between the plan and its transaction. */
const ATTEMPTS = 5;

/** How a file is to be applied. */
export interface ApplyOptions {
  readonly dryRun: boolean;
  /** Removes what the file does not name of the kinds that it names. */
  readonly prune: boolean;
  /** What removes something or makes a hold smaller is meant. */
  readonly confirmed: boolean;
  /** The state that the plan was shown for; null for any. */
  readonly expectedState: string | null;
}

/** What applying did, or would do. */
export interface Applied {
  readonly plan: Plan;
  /** The state that the plan was made for, or that applying left. */
  readonly state: string;
  readonly applied: boolean;
}

/**
 * Brings the server to what a file says. Up to `STEPS_AT_ONCE` writes are one transaction, more are made in parts; the same file a second
 * time writes nothing. Throws a Refusal with the path of what is wrong in the file before anything is written, and 409 when something
 * else than what was planned would be changed.
 */
export function applyConfiguration(office: Office, actor: Actor, json: unknown, options: ApplyOptions): Promise<Applied> {
  const file = readConfiguration(json);
  return office.turns.take('configuration', async () => {
    let expected = options.expectedState;
    let begun: Plan | null = null;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      // Read before the plan is made: what is written from here on is noticed in the transaction.
      const basisSeq = options.dryRun ? 0 : await newestAuditSeq(office);
      const state = configurationState(office);
      if (expected !== null && expected !== state) throw changedMeanwhile();
      const draft = new Draft(office, actor, file, options.prune);
      for (const part of [planWorkspaces, planProjects, planPrices, planAlerts]) part(draft);
      const plan = draft.plan();
      if (options.dryRun) return { plan, state, applied: false };
      if (!options.confirmed) refuseUnconfirmed(plan);
      const outcome = await carriedOut(office, actor, plan, basisSeq);
      if (outcome === 'done') return { plan: begun ?? plan, state: configurationState(office), applied: true };
      if (outcome === 'stale') continue;
      // What was shown is partly done: the rest of it is what is still meant.
      begun ??= plan;
      expected = null;
    }
    throw changedMeanwhile();
  });
}

/** `stale` when somebody wrote since the plan was made, `unknown` when nobody can say what was written: then it has to be made again. */
async function carriedOut(office: Office, actor: Actor, plan: Plan, basisSeq: number): Promise<'done' | 'stale' | 'unknown'> {
  const { steps } = plan;
  let basis = basisSeq;
  for (let done = 0; done < steps.length; done += STEPS_AT_ONCE) {
    const part = steps.slice(done, done + STEPS_AT_ONCE);
    const summary = auditOf(actor, 'configuration.apply', 'configuration', { ...countsOf(plan), writes: steps.length, from: done });
    const written = await writePart(office, { steps: part, basisSeq: basis, summary }, done, steps.length);
    if (written === 'unknown') await takeOverAll(office);
    if (written === 'stale' || written === 'unknown') return written;
    for (const result of written.results) takeOver(office, result);
    basis = written.auditSeq;
  }
  return 'done';
}

/** One part. After the first one, what goes wrong says how far it came: what is made stays, and the file can be applied again. */
async function writePart(office: Office, request: ApplyRequest, done: number, all: number): ReturnType<Office['store']['applySteps']> {
  if (done === 0) return await office.store.applySteps(request);
  const written = await office.store.applySteps(request).catch((error: unknown) => {
    const { reason, message } = refusalOf(error);
    throw new Refusal(reason, `${done} of ${all} writes were made and stay; the others were not: ${message} Apply the file again.`);
  });
  if (written !== 'stale') return written;
  throw new Refusal('conflict', `${done} of ${all} writes were made and stay; then somebody else changed something. Apply the file again.`);
}

function countsOf({ entries }: Plan) {
  const count = (action: PlanEntry['action']) => entries.filter((entry) => entry.action === action).length;
  return { created: count('create'), changed: count('change'), removed: count('remove') };
}

/** What was written comes into force: requests that come after are judged by it. */
function takeOver(office: Office, result: StepResult): void {
  const { registry, prices, alerts } = office;
  switch (result.kind) {
    case 'workspace':
      return registry.putWorkspace(result.workspace);
    case 'project':
      return registry.putProject(result.project);
    case 'policy':
      return registry.putPolicy(result.policy);
    case 'connection':
      return registry.putConnection(result.connection);
    case 'price':
      return prices.put(result.price);
    case 'alert':
      alerts.book.put(result.alert);
      return alerts.lookAtEverybody();
    case 'deleted':
      return takeAway(office, result);
  }
}

function takeAway(office: Office, { what, id }: Extract<StepResult, { kind: 'deleted' }>): void {
  const { registry, alerts, inFlight } = office;
  if (what === 'alert') return alerts.book.drop(id);
  if (what === 'connection') {
    const stored = registry.connections.get(id);
    return stored && registry.dropConnection(stored);
  }
  registry.dropProject(id);
  inFlight.cut('cut_revoked', (attempt) => attempt.projectId === id);
}

/** Every write of an operator leaves an audit event, so a newer one tells that there was one. */
async function newestAuditSeq({ store }: Office): Promise<number> {
  const { items } = await store.listAudit(null, 1);
  return items[0]?.seq ?? 0;
}

function refuseUnconfirmed({ entries }: Plan): void {
  const reasons = entries.flatMap(({ confirm }) => confirm);
  if (reasons.length > 0)
    throw new Refusal('conflict', `This would ${reasons.join('; ')}. If that is meant, repeat it with ?confirm=true (CLI: --yes).`);
}

function changedMeanwhile(): Refusal {
  return new Refusal('conflict', 'Somebody changed something after this plan was made. Nothing was written. Look at the plan again.');
}
