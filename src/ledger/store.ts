/**
 * What people need of the ledger: writes that resolve when they are durable, and reads that run beside the hot path.
 * Every write takes an audit event that is committed with it.
 */
import type { Environment } from '../domain/candidate.ts';
import type { Decision, Outcome, Settlement } from '../domain/decision.ts';
import type { Reason } from '../domain/errors.ts';
import type { ApiKey, Connection, Plan, Project, ProviderKind, Workspace } from '../domain/project.ts';
import type { NanoUsd } from '../domain/money.ts';
import type { AlertStore } from './alert-store.ts';
import type { CatalogueStore } from './catalogue-store.ts';
import type { ApplyStore } from './apply-store.ts';
import type { ArchiveStore } from './archive-store.ts';
import type { KeepStore } from './keep-store.ts';
import type { ResealedValue, SealedValue } from './sealed.ts';

/** Who did what, without secrets; the subject is a public id. */
export interface AuditEvent {
  /** The operator's public id, or `system`. */
  readonly actor: string;
  /** `key.create`, `policy.set` ... */
  readonly action: string;
  readonly subject: string;
  readonly ip: string | null;
  /** What changed, without secrets. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** An audit event as it was stored. */
export interface StoredAuditEvent extends AuditEvent {
  readonly seq: number;
  readonly publicId: string;
  readonly atMs: number;
}

export type OperatorRole = 'owner' | 'viewer';

export interface Operator {
  readonly id: number;
  readonly publicId: string;
  readonly name: string;
  readonly role: OperatorRole;
  /** SHA-256 of the token, lower-case hexadecimal. */
  readonly tokenSha256: string;
  readonly createdAtMs: number;
  /** When the token stops working, milliseconds since 1970; null for never. */
  readonly expiresAtMs: number | null;
  /** The one workspace that the operator sees; null for the whole installation. */
  readonly workspaceId: number | null;
}

/** Where a connection's key is: encrypted in its row, in an environment variable, or nowhere (a local server without keys). */
export type StoredSecret =
  | { readonly kind: 'encrypted'; readonly ciphertext: Uint8Array; readonly nonce: Uint8Array }
  | { readonly kind: 'environment'; readonly name: string }
  | { readonly kind: 'none' };

export interface StoredConnection {
  readonly connection: Connection;
  readonly secret: StoredSecret;
}

/** A version of a policy document. Exactly one of the two owners is set. */
export interface PolicyVersion {
  readonly seq: number;
  readonly workspaceId: number | null;
  readonly projectId: number | null;
  readonly version: number;
  /** JSON text. */
  readonly document: string;
  readonly author: string;
  readonly atMs: number;
}

/** A turn of the Sentry switch. Exactly one of the two owners is set. */
export interface SentrySwitch {
  readonly seq: number;
  readonly workspaceId: number | null;
  readonly projectId: number | null;
  readonly enabled: boolean;
  readonly author: string;
  readonly atMs: number;
}

export interface CreditEntry {
  readonly seq: number;
  readonly workspaceId: number;
  /** Negative takes credits back. */
  readonly requests: number;
  readonly note: string;
  readonly author: string;
  readonly atMs: number;
}

/** A price that an operator set; `price` is JSON text, null when the override was taken away. */
export interface PriceOverride {
  readonly seq: number;
  readonly provider: string;
  readonly model: string;
  readonly price: string | null;
  readonly author: string;
  readonly atMs: number;
}

export interface Alert {
  readonly id: number;
  readonly publicId: string;
  readonly workspaceId: number;
  readonly projectId: number | null;
  /** JSON text, without secrets. */
  readonly definition: string;
  /** The webhook URL and the signing secret, sealed for `alert:ID:url` and `alert:ID:secret`; null where there is none. */
  readonly sealedUrl: Uint8Array | null;
  readonly sealedSecret: Uint8Array | null;
  readonly createdAtMs: number;
}

/** Everything that the in-memory directory is made of at start. Deleted things are left out, revoked keys are not. */
export interface DirectorySnapshot {
  readonly workspaces: readonly Workspace[];
  readonly projects: readonly Project[];
  readonly keys: readonly ApiKey[];
  readonly connections: readonly StoredConnection[];
  /** The newest version for each owner. */
  readonly policies: readonly PolicyVersion[];
  /** The newest turn for each owner. */
  readonly switches: readonly SentrySwitch[];
  readonly operators: readonly Operator[];
  /** The newest for each provider and model, those that were taken away left out. */
  readonly prices: readonly PriceOverride[];
  readonly alerts: readonly Alert[];
}

export interface NewWorkspace {
  readonly publicId: string;
  readonly name: string;
  readonly plan: Plan;
  readonly includedRequests: number | null;
}

export interface NewProject {
  readonly publicId: string;
  readonly workspaceId: number;
  readonly name: string;
  /** The deleted project whose spend this one goes on with, or null. */
  readonly lineageId: number | null;
}

export interface NewKey {
  readonly publicId: string;
  readonly projectId: number;
  readonly name: string;
  readonly environment: Environment;
  readonly prefix: string;
  readonly sha256: string;
  readonly expiresAtMs: number | null;
  readonly lineageId: number | null;
}

export interface NewConnection {
  readonly publicId: string;
  readonly projectId: number;
  readonly name: string;
  readonly kind: ProviderKind;
  readonly baseUrl: string;
  readonly models: readonly string[];
  readonly secret: StoredSecret;
}

export interface NewOperator {
  readonly publicId: string;
  readonly name: string;
  readonly role: OperatorRole;
  readonly tokenSha256: string;
  /** Never when absent. */
  readonly expiresAtMs?: number | null;
  /** The whole installation when absent. */
  readonly workspaceId?: number | null;
}

/** What changes of a connection; what is left out stays. */
export type ConnectionChange = Partial<Pick<NewConnection, 'name' | 'baseUrl' | 'models' | 'secret'>>;

/** What changes of a workspace; what is left out stays. */
export type WorkspaceChange = Partial<Pick<NewWorkspace, 'name' | 'plan' | 'includedRequests'>>;

/** Whose policy, or whose switch. */
export type Owner = { readonly workspaceId: number } | { readonly projectId: number };

/** All that the first start makes, in one transaction: there is no half of it after a crash. */
export interface FirstStart {
  readonly workspace: NewWorkspace;
  readonly project: Omit<NewProject, 'workspaceId' | 'lineageId'>;
  readonly keys: readonly Omit<NewKey, 'projectId' | 'lineageId'>[];
  readonly connections: readonly Omit<NewConnection, 'projectId'>[];
  readonly operator: NewOperator;
  /** JSON text of the first policies. */
  readonly workspacePolicy: string;
  readonly projectPolicy: string;
  readonly author: string;
}

/** What an operator says that a settled request cost in truth. The newest of a decision counts. */
export interface Correction {
  readonly seq: number;
  readonly decisionSeq: number;
  readonly costNanoUsd: NanoUsd;
  readonly note: string;
  readonly author: string;
  readonly atMs: number;
}

/** A decision with how it ended: null while it is in flight, and for denials. */
export interface RecordedDecision {
  readonly decision: Decision;
  /** How many equal denials the row stands for; 1 for an allow. */
  readonly count: number;
  readonly settlement: (Settlement & { readonly seq: number; readonly atMs: number }) | null;
  /** The newest correction; absent when there is none. */
  readonly correction?: Correction;
}

export interface DecisionFilter {
  readonly workspaceId?: number;
  readonly projectId?: number;
  readonly keyId?: number;
  readonly allowed?: boolean;
  readonly reason?: Reason;
  readonly model?: string;
  readonly environment?: Environment;
  /** True keeps only those that a control in observe mode spoke against. */
  readonly observed?: boolean;
  /** From this moment on, and before that one: milliseconds since 1970. */
  readonly fromMs?: number;
  readonly toMs?: number;
}

/** A part of a list. `nextCursor` goes into the next call; null at the end. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: number | null;
}

/** What usage is grouped by. */
export type UsageGroup = 'day' | 'hour' | 'model' | 'project' | 'key' | 'reason' | 'country' | 'environment';

export interface UsageFilter {
  readonly groupBy: readonly UsageGroup[];
  readonly fromMs?: number;
  readonly toMs?: number;
  readonly workspaceId?: number;
  readonly projectId?: number;
  readonly keyId?: number;
  readonly environment?: Environment;
}

/** Sums of one group. Only the fields that were grouped by are set. Settled requests count where they settled. */
export interface UsageLine {
  readonly dayMs?: number;
  readonly hourMs?: number;
  readonly model?: string;
  readonly projectId?: number;
  readonly keyId?: number;
  /** A denial's reason or a settlement's outcome. */
  readonly reason?: Reason | Outcome;
  /** Empty when unknown. */
  readonly country?: string;
  readonly environment?: Environment;
  readonly requests: number;
  readonly inputTokens: number;
  readonly cachedInputTokens: number;
  readonly outputTokens: number;
  readonly costNanoUsd: NanoUsd;
}

/** A write that breaks a rule of the store: a name that is taken, a project that does not exist. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict';
}

/** Writes reject with `StoreConflict`, or with `LedgerUnavailable` when they cannot be committed. Ids that do not exist give null. */
export interface Store extends CatalogueStore, AlertStore, ApplyStore, ArchiveStore, KeepStore {
  firstStart(first: FirstStart, audit?: AuditEvent): Promise<void>;
  createWorkspace(workspace: NewWorkspace, audit?: AuditEvent): Promise<Workspace>;
  updateWorkspace(id: number, change: WorkspaceChange, audit?: AuditEvent): Promise<Workspace | null>;
  createProject(project: NewProject, audit?: AuditEvent): Promise<Project>;
  renameProject(id: number, name: string, audit?: AuditEvent): Promise<Project | null>;
  /** Takes the project out of the directory, revokes its keys and wipes its provider keys. Its rows stay. */
  deleteProject(id: number, audit?: AuditEvent): Promise<void>;
  createKey(key: NewKey, audit?: AuditEvent): Promise<ApiKey>;
  revokeKey(id: number, audit?: AuditEvent): Promise<ApiKey | null>;
  /**
   * Makes a key of the same line, and ends the old one at `endsAtMs`, or at once when that is null: one transaction.
   * Null when the old key does not exist or is revoked.
   */
  rotateKey(id: number, key: NewKey, endsAtMs: number | null, audit?: AuditEvent): Promise<{ fresh: ApiKey; old: ApiKey } | null>;
  createConnection(connection: NewConnection, audit?: AuditEvent): Promise<StoredConnection>;
  updateConnection(id: number, change: ConnectionChange, audit?: AuditEvent): Promise<StoredConnection | null>;
  /** Wipes the secret; rows that name the connection keep it. */
  deleteConnection(id: number, audit?: AuditEvent): Promise<void>;
  savePolicy(owner: Owner, document: string, author: string, audit?: AuditEvent): Promise<PolicyVersion>;
  grantCredits(workspaceId: number, requests: number, note: string, author: string, audit?: AuditEvent): Promise<CreditEntry>;
  /** Switching on counts in memory at once, before it is durable; switching off only after. */
  setSentry(owner: Owner, enabled: boolean, author: string, audit?: AuditEvent): Promise<SentrySwitch>;
  createOperator(operator: NewOperator, audit?: AuditEvent): Promise<Operator>;
  deleteOperator(id: number, audit?: AuditEvent): Promise<void>;
  setPrice(provider: string, model: string, price: string | null, author: string, audit?: AuditEvent): Promise<PriceOverride>;
  /** Says what a settled decision cost in truth: frees or takes its budgets by the difference. Null when it is not settled. */
  correct(recorded: RecordedDecision, costNanoUsd: NanoUsd, note: string, author: string, audit?: AuditEvent): Promise<Correction | null>;
  /** Writes only the audit event, for what changes nothing in the tables. */
  recordAudit(audit: AuditEvent): Promise<void>;
  /**
   * Stores values that were sealed anew with another master key, each only where the old one still stands, and seals the chain's key with
   * the first of `chainSeals`: one transaction. Returns how many values were replaced.
   */
  reseal(
    what: { readonly values: readonly ResealedValue[]; readonly chainSeals: readonly Uint8Array[] },
    audit?: AuditEvent,
  ): Promise<number>;
  createAlert(alert: Omit<Alert, 'id' | 'createdAtMs'>, audit?: AuditEvent): Promise<Alert>;
  deleteAlert(id: number, audit?: AuditEvent): Promise<void>;

  loadDirectory(): Promise<DirectorySnapshot>;
  /** Newest first. The cursor is the seq that the page before ended with. */
  listDecisions(filter: DecisionFilter, cursor: number | null, limit: number): Promise<Page<RecordedDecision>>;
  /** Null also when it is of another workspace than the one that is asked for. */
  getDecision(seq: number, workspaceId?: number): Promise<RecordedDecision | null>;
  /** The project that a stored response was made for, or null. */
  projectOfResponse(responseId: string): Promise<number | null>;
  /** Every value that is sealed with the master key, but the chain's key. */
  sealedValues(): Promise<readonly SealedValue[]>;
  /** The hour in which each key of a project was last used, up to a moment, milliseconds since 1970. Keys never used are left out. */
  keyUses(projectId: number, toMs: number): Promise<readonly { readonly keyId: number; readonly hourMs: number }[]>;
  usage(filter: UsageFilter): Promise<readonly UsageLine[]>;
  listAudit(cursor: number | null, limit: number, workspaceId?: number): Promise<Page<StoredAuditEvent>>;
  listPolicies(owner: Owner): Promise<readonly PolicyVersion[]>;
  listCredits(workspaceId: number): Promise<readonly CreditEntry[]>;
}
