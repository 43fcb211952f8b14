import { Refusal } from '../../domain/errors.ts';
import type { Project, Workspace } from '../../domain/project.ts';
import type { ApplyStep, AuditedStep } from '../../ledger/apply-store.ts';
import { auditOf, type Actor, type Office } from '../office.ts';
import type { ConfigurationFile } from './document.ts';

/** What a configuration is about. */
export type Noun = 'workspace' | 'project' | 'provider' | 'price' | 'alert';

/** One value that would be another one. A side that is not there is undefined. Never a secret. */
export interface FieldChange {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
  /** Whether more requests, or dearer ones, can pass than before: what a reviewer looks for. */
  readonly loosens: boolean;
}

/** One thing that would be made, changed or removed. */
export interface PlanEntry {
  readonly action: 'create' | 'change' | 'remove';
  readonly noun: Noun;
  /** `workspace/project/provider`, as far as there is one. */
  readonly name: string;
  readonly fields: readonly FieldChange[];
  /** Why this has to be confirmed, each as the end of "this would ...". Empty for what can be taken back. */
  readonly confirm: readonly string[];
  /** What is good to know, in sentences. */
  readonly notes: readonly string[];
}

/** Something that the file does not name, though it names others of its kind. */
export interface Absent {
  readonly noun: Noun;
  readonly name: string;
  /** Whether `--prune` can remove it. */
  readonly removable: boolean;
}

/** What applying a file would do. */
export interface Plan {
  readonly entries: readonly PlanEntry[];
  readonly unchanged: number;
  readonly notInFile: readonly Absent[];
  readonly steps: readonly AuditedStep[];
}

/** A workspace of the file: there already, or to be made under this public id. */
export interface PlannedWorkspace {
  readonly name: string;
  readonly publicId: string;
  readonly existing: Workspace | null;
}

/** A project of the file. */
export interface PlannedProject {
  readonly name: string;
  readonly publicId: string;
  readonly workspace: PlannedWorkspace;
  readonly existing: Project | null;
}

/** What an entry may leave out. */
type EntryFacts = Pick<PlanEntry, 'noun' | 'name'> & Partial<Pick<PlanEntry, 'fields' | 'confirm' | 'notes'>>;

/** A plan in the making: parts add to it, in the order in which it is carried out. */
export class Draft {
  readonly entries: PlanEntry[] = [];
  readonly notInFile: Absent[] = [];
  readonly workspaces = new Map<string, PlannedWorkspace>();
  readonly projects: PlannedProject[] = [];
  unchanged = 0;
  readonly #steps: AuditedStep[] = [];
  readonly #removals: AuditedStep[] = [];

  constructor(
    readonly office: Office,
    readonly actor: Actor,
    readonly file: ConfigurationFile,
    readonly prune: boolean,
  ) {}

  create(facts: EntryFacts): void {
    this.entries.push({ action: 'create', fields: [], confirm: [], notes: [], ...facts });
  }

  /** Counts as unchanged when no field changes. */
  change(facts: EntryFacts & Pick<PlanEntry, 'fields'>): void {
    if (facts.fields.length === 0) this.unchanged++;
    else this.entries.push({ action: 'change', confirm: [], notes: [], ...facts });
  }

  step(step: ApplyStep, action: string, subject: string, detail: Readonly<Record<string, unknown>>): void {
    this.#steps.push({ step, audit: auditOf(this.actor, action, subject, detail) });
  }

  /** Something that the file does not name: removed after everything else when that is wanted, else only told. */
  absent(
    what: Absent & { readonly confirm: string },
    step: ApplyStep,
    action: string,
    subject: string,
    fields: readonly FieldChange[] = [],
  ): void {
    const { noun, name } = what;
    if (!this.prune) return void this.notInFile.push({ noun, name, removable: true });
    this.entries.push({ action: 'remove', noun, name, fields, confirm: [what.confirm], notes: [] });
    this.#removals.push({ step, audit: auditOf(this.actor, action, subject, { name }) });
  }

  plan(): Plan {
    const { entries, unchanged, notInFile } = this;
    return { entries, unchanged, notInFile, steps: [...this.#steps, ...this.#removals] };
  }
}

/** Runs a check of a use case and puts the path of the file before what it refuses. */
export function at<Result>(path: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { param } = error.options;
    const full = param === undefined ? path : `${path}.${param}`;
    throw new Refusal(error.reason === 'unknown_resource' ? 'invalid_value' : error.reason, `${full}: ${error.message}`, { param: full });
  }
}

/** Values that differ, by name. `loosens` is false for all of them. */
export function plainChanges(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>): FieldChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((path) => !Bun.deepEquals(before[path], after[path]))
    .map((path) => ({
      path,
      ...(path in before ? { before: before[path] } : {}),
      ...(path in after ? { after: after[path] } : {}),
      loosens: false,
    }));
}
