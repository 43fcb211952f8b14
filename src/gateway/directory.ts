import type { ApiKey, Connection, Project, Workspace } from '../domain/project.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';

/** A connection with what the hot path needs beside it. */
export interface ConnectionEntry extends Connection {
  /** The provider's key, or why there is none (an environment variable that is not set). Read at the last moment. */
  readonly credential: Credential;
  /** Top-level fields that this provider refused when we put them in: not put in again. */
  readonly refusedFields: Set<string>;
}

/** A provider's key. `reveal` is called in one place: where the request leaves. */
export interface Credential {
  /** The secret, or null when there is none to send (a local server without keys). */
  reveal(): string | null;
}

/** A project with everything that judges and serves its requests. Replaced as a whole when something changes. */
export interface ProjectEntry {
  readonly project: Project;
  readonly workspace: Workspace;
  readonly policy: CompiledPolicy;
  readonly connections: readonly ConnectionEntry[];
}

/** A key and the project that it opens. */
export interface KeyEntry {
  readonly key: ApiKey;
  readonly projectId: number;
  /** The first key of its line: rotated keys share windows and budgets. */
  readonly lineageId: number;
  /** When it was last accepted, wall-clock milliseconds since 1970; null when it was not since the process began. */
  lastUsedAtMs: number | null;
}

/**
 * Who exists: the in-memory picture of workspaces, projects, keys and connections that requests are judged by.
 * Every change swaps a whole entry, so a request sees one state of its project from beginning to end.
 */
export class Directory {
  readonly #keysByHash = new Map<string, KeyEntry>();
  readonly #keyPublicIds = new Map<number, string>();
  readonly #projects = new Map<number, ProjectEntry>();
  #changes = 0;

  /** Grows with every change: who waited across one must look its caller up again. */
  get changes(): number {
    return this.#changes;
  }

  /** The key with this SHA-256, revoked and expired ones included, or null. */
  key(sha256: string): KeyEntry | null {
    return this.#keysByHash.get(sha256) ?? null;
  }

  /** The public id of a key, or null. */
  keyPublicId(id: number): string | null {
    return this.#keyPublicIds.get(id) ?? null;
  }

  project(id: number): ProjectEntry | null {
    return this.#projects.get(id) ?? null;
  }

  projects(): IterableIterator<ProjectEntry> {
    return this.#projects.values();
  }

  putKey(key: ApiKey): void {
    this.#changes++;
    this.#keyPublicIds.set(key.id, key.publicId);
    const lastUsedAtMs = this.#keysByHash.get(key.sha256)?.lastUsedAtMs ?? null;
    this.#keysByHash.set(key.sha256, { key, projectId: key.projectId, lineageId: key.lineageId ?? key.id, lastUsedAtMs });
  }

  putProject(entry: ProjectEntry): void {
    this.#changes++;
    this.#projects.set(entry.project.id, entry);
  }

  /** Forgets a project: its keys then answer as unknown. */
  dropProject(id: number): void {
    this.#changes++;
    this.#projects.delete(id);
  }
}
