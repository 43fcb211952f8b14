import type { Capacity, StoredDocument, StoredDocuments } from '../../ledger/replay/acts.ts';
import type { Span } from '../../ledger/replay/span.ts';
import type { CompiledPolicy, PolicyNames } from '../../policy/compiled.ts';
import {
  compilePolicy,
  defaultPolicy,
  defaultWorkspacePolicy,
  type PolicyDocument,
  type WorkspacePolicyDocument,
} from '../../policy/document.ts';

/** What the policies of a replay look at, so that no more of the past is brought back than they need. */
export interface Reach {
  /** The longest rolling window of money, milliseconds. */
  readonly windowMs: number;
  /** Whether end users have limits of their own. */
  readonly users: boolean;
  /** Whether other projects of the workspace count: they share a budget. */
  readonly workspace: boolean;
}

/**
 * Which policy judges a request: the proposed one with the workspace's documents as they were, or, when none is proposed,
 * the very version that judged it. A decision names its version by the greater seq of its two documents.
 */
export class PoliciesInForce {
  readonly #compiled = new Map<number, CompiledPolicy>();
  #capacity: Capacity;

  constructor(
    readonly documents: StoredDocuments,
    readonly proposed: PolicyDocument | null,
    readonly names: PolicyNames,
    capacity: Capacity,
  ) {
    this.#capacity = capacity;
  }

  /** The policy for a decision that names this version. */
  at(version: number): CompiledPolicy {
    let policy = this.#compiled.get(version);
    if (policy === undefined) this.#compiled.set(version, (policy = this.#compile(version)));
    return policy;
  }

  /** From now on the plan has this volume. */
  setCapacity(capacity: Capacity): void {
    this.#capacity = capacity;
    this.#compiled.clear();
  }

  /** What every policy looks at that was in force at some time of the span, or judges in their place. */
  reach({ fromSeq, toSeq }: Span): Reach {
    const versions = new Set([newest(this.documents, fromSeq)]);
    for (const { seq } of [...this.documents.project, ...this.documents.workspace]) if (seq >= fromSeq && seq < toSeq) versions.add(seq);
    const policies = [...versions].map((version) => this.at(version));
    const accounts = policies.flatMap(({ budgets }) => budgets.flatMap(({ account }) => account ?? []));
    const abuse = policies.flatMap((policy) => policy.abuse);
    return {
      windowMs: Math.max(0, ...accounts.map(({ windowMs }) => windowMs), ...abuse.map(({ windowMs }) => windowMs)),
      users: accounts.some(({ scope }) => scope === 'user') || abuse.some(({ scope }) => scope === 'user'),
      workspace: accounts.some(({ scope, acrossProjects }) => scope === 'workspace' || acrossProjects === true),
    };
  }

  #compile(version: number): CompiledPolicy {
    const project = upTo(this.documents.project, version);
    const workspace = upTo(this.documents.workspace, version);
    return compilePolicy({
      project: this.proposed ?? (project === null ? defaultPolicy() : (JSON.parse(project.document) as PolicyDocument)),
      workspace: workspace === null ? defaultWorkspacePolicy() : (JSON.parse(workspace.document) as WorkspacePolicyDocument),
      capacity: this.#capacity,
      version,
      names: this.names,
    });
  }
}

function upTo(documents: readonly StoredDocument[], version: number): StoredDocument | null {
  return documents.findLast(({ seq }) => seq <= version) ?? null;
}

function newest({ project, workspace }: StoredDocuments, beforeSeq: number): number {
  return Math.max(upTo(project, beforeSeq - 1)?.seq ?? 0, upTo(workspace, beforeSeq - 1)?.seq ?? 0);
}
