import { isWellFormed, hashSecret } from '../domain/key.ts';
import type { ApiKey, Project, Workspace } from '../domain/project.ts';
import type { ConnectionEntry, Directory, ProjectEntry } from '../gateway/directory.ts';
import type { DirectorySnapshot, Operator, PolicyVersion, SentrySwitch, StoredConnection } from '../ledger/store.ts';
import {
  compilePolicy,
  defaultPolicy,
  defaultWorkspacePolicy,
  type PolicyDocument,
  type WorkspacePolicyDocument,
} from '../policy/document.ts';
import type { MasterKey } from '../upstream/secrets.ts';
import { credentialOf } from './credentials.ts';

/**
 * What exists, as operators see it, and the directory that requests are judged by, which is made from it.
 * Every change goes to the store first and then through here, so both always agree. What was read from the store may be older than what
 * has come into force meanwhile: then the newer one stays.
 */
export class Registry {
  readonly workspaces = new Map<number, Workspace>();
  readonly projects = new Map<number, Project>();
  readonly keys = new Map<number, ApiKey>();
  readonly connections = new Map<number, StoredConnection>();
  readonly #operators = new Map<string, Operator>();
  readonly #projectPolicies = new Map<number, PolicyVersion>();
  readonly #workspacePolicies = new Map<number, PolicyVersion>();
  readonly #switches = new Map<string, SentrySwitch>();

  constructor(
    snapshot: DirectorySnapshot,
    readonly directory: Directory,
    readonly masterKey: MasterKey,
  ) {
    for (const workspace of snapshot.workspaces) this.workspaces.set(workspace.id, workspace);
    for (const operator of snapshot.operators) this.putOperator(operator);
    for (const policy of snapshot.policies) this.#keepPolicy(policy);
    for (const turn of snapshot.switches) this.putSwitch(turn);
    for (const connection of snapshot.connections) this.connections.set(connection.connection.id, connection);
    for (const project of snapshot.projects) this.putProject(project);
    for (const key of snapshot.keys) this.putKey(key);
  }

  /** The operator with this token, or null. Tokens are looked up by their hash, so no comparison leaks them. */
  operator(token: string): Operator | null {
    return isWellFormed(token) ? (this.#operators.get(hashSecret(token)) ?? null) : null;
  }

  operators(): Operator[] {
    return [...this.#operators.values()];
  }

  putOperator(operator: Operator): void {
    this.#operators.set(operator.tokenSha256, operator);
  }

  dropOperator(operator: Operator): void {
    this.#operators.delete(operator.tokenSha256);
  }

  putWorkspace(workspace: Workspace): void {
    this.workspaces.set(workspace.id, workspace);
    for (const project of this.projects.values()) if (project.workspaceId === workspace.id) this.#rebuild(project);
  }

  putProject(project: Project): void {
    this.projects.set(project.id, project);
    this.#rebuild(project);
  }

  dropProject(id: number): void {
    this.projects.delete(id);
    for (const [keyId, key] of this.keys) if (key.projectId === id) this.keys.delete(keyId);
    for (const [connectionId, { connection }] of this.connections) if (connection.projectId === id) this.connections.delete(connectionId);
    this.directory.dropProject(id);
  }

  /** A key that was revoked stays so. */
  putKey(key: ApiKey): void {
    if (key.revokedAtMs === null && (this.keys.get(key.id)?.revokedAtMs ?? null) !== null) return;
    this.keys.set(key.id, key);
    this.directory.putKey(key);
  }

  putConnection(stored: StoredConnection): void {
    this.connections.set(stored.connection.id, stored);
    this.#rebuildById(stored.connection.projectId);
  }

  dropConnection(stored: StoredConnection): void {
    this.connections.delete(stored.connection.id);
    this.#rebuildById(stored.connection.projectId);
  }

  putPolicy(policy: PolicyVersion): void {
    this.#keepPolicy(policy);
    if (policy.projectId !== null) this.#rebuildById(policy.projectId);
    else for (const project of this.projects.values()) if (project.workspaceId === policy.workspaceId) this.#rebuild(project);
  }

  putSwitch(turn: SentrySwitch): void {
    if (turn.seq < (this.#switches.get(switchName(turn))?.seq ?? 0)) return;
    this.#switches.set(switchName(turn), turn);
  }

  /** Whether Sentry Mode is on for the owner itself. */
  sentry(owner: { readonly workspaceId: number } | { readonly projectId: number }): boolean {
    return this.sentryTurn(owner)?.enabled ?? false;
  }

  /** The newest turn of the owner's own switch, or null. */
  sentryTurn(owner: { readonly workspaceId: number } | { readonly projectId: number }): SentrySwitch | null {
    return this.#switches.get(switchName(owner)) ?? null;
  }

  projectPolicy(projectId: number): PolicyVersion | null {
    return this.#projectPolicies.get(projectId) ?? null;
  }

  workspacePolicy(workspaceId: number): PolicyVersion | null {
    return this.#workspacePolicies.get(workspaceId) ?? null;
  }

  #keepPolicy(policy: PolicyVersion): void {
    const { projectId, workspaceId } = policy;
    const [kept, id] = projectId === null ? [this.#workspacePolicies, workspaceId!] : [this.#projectPolicies, projectId];
    if (policy.seq >= (kept.get(id)?.seq ?? 0)) kept.set(id, policy);
  }

  #rebuildById(projectId: number): void {
    const project = this.projects.get(projectId);
    if (project) this.#rebuild(project);
  }

  #rebuild(project: Project): void {
    const workspace = this.workspaces.get(project.workspaceId);
    if (workspace) this.directory.putProject(this.#entryOf(project, workspace));
  }

  #entryOf(project: Project, workspace: Workspace): ProjectEntry {
    const projectPolicy = this.projectPolicy(project.id);
    const workspacePolicy = this.workspacePolicy(workspace.id);
    const policy = compilePolicy({
      project: projectPolicy ? (JSON.parse(projectPolicy.document) as PolicyDocument) : defaultPolicy(),
      workspace: workspacePolicy ? (JSON.parse(workspacePolicy.document) as WorkspacePolicyDocument) : defaultWorkspacePolicy(),
      capacity: { plan: workspace.plan, includedRequests: workspace.includedRequests },
      version: Math.max(projectPolicy?.seq ?? 0, workspacePolicy?.seq ?? 0),
      names: { workspace: workspace.name, project: project.name },
    });
    return { project, workspace, policy, connections: this.#connectionsOf(project.id) };
  }

  #connectionsOf(projectId: number): ConnectionEntry[] {
    return [...this.connections.values()]
      .filter(({ connection }) => connection.projectId === projectId)
      .sort((a, b) => a.connection.id - b.connection.id)
      .map((stored) => ({ ...stored.connection, credential: credentialOf(stored, this.masterKey), refusedFields: new Set<string>() }));
  }
}

function switchName(owner: { readonly workspaceId?: number | null; readonly projectId?: number | null }): string {
  return owner.projectId === null || owner.projectId === undefined ? `workspace ${owner.workspaceId}` : `project ${owner.projectId}`;
}
