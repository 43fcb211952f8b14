/** Many writes of operators as one transaction: a configuration is applied as a whole or not at all. */
import type { Project, Workspace } from '../domain/project.ts';
import type {
  Alert,
  AuditEvent,
  ConnectionChange,
  NewConnection,
  NewProject,
  NewWorkspace,
  PolicyVersion,
  PriceOverride,
  StoredConnection,
  WorkspaceChange,
} from './store.ts';

/** Whose policy, by public id: the owner may be made by a step before. */
export type NamedOwner = { readonly workspace: string } | { readonly project: string };

/** What changes of an alert; its sealed values are left as they are where they are undefined. */
export interface AlertChange {
  readonly definition: string;
  readonly sealedUrl?: Uint8Array;
  readonly sealedSecret?: Uint8Array | null;
}

/** A new alert; its owners are named by their public ids. */
export type NewAlert = Omit<Alert, 'id' | 'createdAtMs' | 'workspaceId' | 'projectId'> & {
  readonly workspace: string;
  readonly project: string | null;
};

/** One write. What it belongs to is named by its public id, because a step before may have made it. */
export type ApplyStep =
  | { readonly do: 'createWorkspace'; readonly workspace: NewWorkspace }
  | { readonly do: 'updateWorkspace'; readonly id: number; readonly change: WorkspaceChange }
  | { readonly do: 'createProject'; readonly workspace: string; readonly project: Pick<NewProject, 'publicId' | 'name'> }
  | { readonly do: 'deleteProject'; readonly id: number }
  | { readonly do: 'savePolicy'; readonly owner: NamedOwner; readonly document: string; readonly author: string }
  | { readonly do: 'createConnection'; readonly project: string; readonly connection: Omit<NewConnection, 'projectId'> }
  | { readonly do: 'updateConnection'; readonly id: number; readonly change: ConnectionChange }
  | { readonly do: 'deleteConnection'; readonly id: number }
  | { readonly do: 'setPrice'; readonly provider: string; readonly model: string; readonly price: string | null; readonly author: string }
  | { readonly do: 'createAlert'; readonly alert: NewAlert }
  | { readonly do: 'updateAlert'; readonly id: number; readonly change: AlertChange }
  | { readonly do: 'deleteAlert'; readonly id: number };

/** A write with the audit event that is committed with it. */
export interface AuditedStep {
  readonly step: ApplyStep;
  readonly audit: AuditEvent;
}

/** What a step left behind, in the order of the steps. */
export type StepResult =
  | { readonly kind: 'workspace'; readonly workspace: Workspace }
  | { readonly kind: 'project'; readonly project: Project }
  | { readonly kind: 'policy'; readonly policy: PolicyVersion }
  | { readonly kind: 'connection'; readonly connection: StoredConnection }
  | { readonly kind: 'price'; readonly price: PriceOverride }
  | { readonly kind: 'alert'; readonly alert: Alert }
  | { readonly kind: 'deleted'; readonly what: 'project' | 'connection' | 'alert'; readonly id: number };

/** What was written at once. */
export interface AppliedSteps {
  readonly results: readonly StepResult[];
  /** The seq of the last audit event of these steps: the basis of what follows them. */
  readonly auditSeq: number;
}

/** What is to be written at once. */
export interface ApplyRequest {
  readonly steps: readonly AuditedStep[];
  /** The seq of the newest audit event when the steps were planned: a later one means that somebody else wrote. 0 for none. */
  readonly basisSeq: number;
  /** One event for the whole. */
  readonly summary: AuditEvent;
}

/** The part of the store that configuration as code works with. */
export interface ApplyStore {
  /**
   * Writes all steps in one transaction, or nothing. `stale`: somebody wrote since they were planned, and nothing was written.
   * `unknown`: they were written, but the writer died before it could say what became of them. Rejects with `StoreConflict` when one of
   * them breaks a rule of the store.
   */
  applySteps(request: ApplyRequest): Promise<AppliedSteps | 'stale' | 'unknown'>;
}
