/** How far an operator sees: the whole installation, or one workspace. Everything that looks something up for somebody takes one. */
export interface Scope {
  /** Null for the whole installation. */
  readonly workspaceId: number | null;
}

/** The scope of those who are bound to no workspace. */
export const INSTALLATION: Scope = { workspaceId: null };

/** Whether what belongs to this workspace is there for who has this scope. What belongs to no workspace (null) is the installation's. */
export function covers(scope: Scope, workspaceId: number | null): boolean {
  return scope.workspaceId === null || scope.workspaceId === workspaceId;
}

/** The scope as a part of a filter of the ledger: it is applied in SQL, before pages are cut. */
export function scopeFilter({ workspaceId }: Scope): { readonly workspaceId?: number } {
  return workspaceId === null ? {} : { workspaceId };
}
