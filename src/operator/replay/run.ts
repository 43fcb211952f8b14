import type { Database } from 'bun:sqlite';
import type { Project, Workspace } from '../../domain/project.ts';
import { actsWithin, all, capacityAt, storedDocuments, type Act } from '../../ledger/replay/acts.ts';
import { History } from '../../ledger/replay/pages.ts';
import { spanBetween, type Span } from '../../ledger/replay/span.ts';
import { warmUp } from '../../ledger/replay/warm-up.ts';
import { closeFully, openForReading } from '../../ledger/sqlite/open.ts';
import type { PolicyDocument } from '../../policy/document.ts';
import { Player } from './player.ts';
import { PoliciesInForce } from './policies-in-force.ts';
import { ReplayState } from './replay-state.ts';
import type { ReplayReport } from './report.ts';

/** Seqs in a page: about two thousandths of a second of reading, so that no view of the file holds up the writer's log. */
const PAGE_SEQS = 512;

/** What is to be replayed. Can be sent between threads. */
export interface ReplayTask {
  /** The ledger's file. */
  readonly path: string;
  readonly workspace: Workspace;
  readonly project: Project;
  /** Judges instead of the policies that were in force; null judges each request by the version that judged it. */
  readonly policy: PolicyDocument | null;
  /** Decisions from this moment on and before that one, milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** How a replay goes on. */
export interface ReplayCourse {
  /** Called with the share that is done, 0 to 1, after each page. */
  readonly onProgress: (share: number) => void;
  /** Awaited between pages. Rejects when nobody wants the answer any more. */
  readonly pause: () => Promise<void>;
}

/** Runs a replay on a read-only connection of its own. */
export async function runReplay(task: ReplayTask, course: ReplayCourse): Promise<ReplayReport> {
  const db = openForReading(task.path);
  try {
    return await replayOn(db, task, course);
  } finally {
    closeFully(db);
  }
}

async function replayOn(db: Database, task: ReplayTask, course: ReplayCourse): Promise<ReplayReport> {
  const { workspace, project } = task;
  const span = spanBetween(db, task.fromMs, task.toMs);
  const acts = actsWithin(db, span, workspace, project.id);
  const capacity = capacityAt(db, span, workspace);
  const names = { workspace: workspace.name, project: project.name };
  const policies = new PoliciesInForce(storedDocuments(db, workspace.id, project.id), task.policy, names, capacity);
  const reach = policies.reach(span);
  const volume = capacity.includedRequests !== null || acts.some(hasVolume);
  const needs = { workspaceId: workspace.id, projectId: project.id, windowMs: reach.windowMs, users: reach.users, volume };
  const state = new ReplayState(workspace.id);
  const exactFromMs = await warmUp(db, state, span, needs, course.pause);
  const wholeWorkspace = (reach.workspace || volume) && hasOtherProjects(db, workspace.id);
  const history = new History(db, { workspaceId: workspace.id, projectId: project.id, wholeWorkspace });
  try {
    return await play(history, new Player({ projectId: project.id, state, policies, acts, exactFromMs }), span, course);
  } finally {
    history.finalize();
  }
}

async function play(history: History, player: Player, { fromSeq, toSeq }: Span, course: ReplayCourse): Promise<ReplayReport> {
  for (let seq = fromSeq; seq < toSeq; seq += PAGE_SEQS) {
    const end = Math.min(seq + PAGE_SEQS, toSeq);
    player.play(history.page(seq, end), end);
    course.onProgress((end - fromSeq) / (toSeq - fromSeq));
    await course.pause();
  }
  return player.finish((seq) => history.costOf(seq));
}

function hasVolume(act: Act): boolean {
  return act.kind === 'plan' && act.capacity.includedRequests !== null;
}

function hasOtherProjects(db: Database, workspaceId: number): boolean {
  return all(db, 'SELECT id FROM projects WHERE workspace_id = ? LIMIT 2', [workspaceId]).length > 1;
}
