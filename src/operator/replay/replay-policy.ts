import { Refusal } from '../../domain/errors.ts';
import type { Project } from '../../domain/project.ts';
import type { PolicyDocument } from '../../policy/document.ts';
import { moment } from '../moment.ts';
import type { Office } from '../office.ts';
import { currentPolicy, previewPolicy } from '../policies.ts';
import type { ReplayListener, Replays } from './replays.ts';
import type { ReplayReport } from './report.ts';

/** What a person asks. Without a policy every request is judged by the version that judged it: a check that shows no difference. */
export interface ReplayQuestion {
  readonly policy?: object | undefined;
  /** ISO 8601, or a stretch before now such as `7d`; `7d` when absent. */
  readonly from?: string | undefined;
  /** The same; now when absent. */
  readonly to?: string | undefined;
}

/** A replay that is known to be possible, with the moments that it will look at, milliseconds since 1970. */
export interface PreparedReplay {
  readonly fromMs: number;
  readonly toMs: number;
  readonly isProposed: boolean;
  /** What the answer cannot say, one sentence each. */
  readonly notes: readonly string[];
  run(listener: ReplayListener): Promise<ReplayReport>;
}

const DEFAULT_FROM = '7d';
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Looks at a question before anything is run. Throws a Refusal that names what is wrong with it. */
export function prepareReplay(office: Office, replays: Pick<Replays, 'run'>, project: Project, question: ReplayQuestion): PreparedReplay {
  const nowMs = office.engine.nowMs();
  const fromMs = momentBefore(nowMs, question.from ?? DEFAULT_FROM, 'from');
  // Ledger time of this very moment belongs to it.
  const toMs = question.to === undefined ? nowMs + 1 : momentBefore(nowMs, question.to, 'to');
  if (toMs <= fromMs) throw new Refusal('invalid_value', 'to must be later than from.', { param: 'to' });
  const workspace = office.registry.workspaces.get(project.workspaceId)!;
  const policy = question.policy === undefined ? null : (previewPolicy(office, { project }, question.policy).document as PolicyDocument);
  return {
    fromMs,
    toMs,
    isProposed: policy !== null,
    notes: policy === null ? [] : notesOn(policy, currentPolicy(office, { project }).document as PolicyDocument),
    async run(listener) {
      // A list waits for what is on its way to the disk: what happened before the question is a part of the answer.
      await office.store.listCredits(workspace.id);
      return replays.run({ workspace, project, policy, fromMs, toMs }, listener);
    },
  };
}

function momentBefore(nowMs: number, text: string, param: string): number {
  const stretch = /^(\d{1,6})([smhdw])$/.exec(text);
  return stretch ? nowMs - Number(stretch[1]) * UNIT_MS[stretch[2] as keyof typeof UNIT_MS] : moment(text, param);
}

/** The bounds of a request were made when it was asked, by the pricing rules of that time; its body is not kept. */
function notesOn({ pricing }: PolicyDocument, { pricing: standing }: PolicyDocument): string[] {
  const fields = ['unknown_model_price', 'allow_fields', 'tool_prices', 'max_tool_calls'] as const;
  const changed = fields.filter((field) => JSON.stringify(pricing[field]) !== JSON.stringify(standing[field]));
  if (changed.length === 0) return [];
  return [
    `Requests are judged with the bounds and prices that were recorded with them: a change of ${changed.map((field) => `pricing.${field}`).join(', ')} does not show.`,
  ];
}
