import { Refusal } from '../domain/errors.ts';
import type { Project, Workspace } from '../domain/project.ts';
import type { PolicyVersion } from '../ledger/store.ts';
import {
  defaultPolicy,
  defaultWorkspacePolicy,
  parsePolicy,
  parseWorkspacePolicy,
  PolicyProblem,
  type PolicyDocument,
  type WorkspacePolicyDocument,
} from '../policy/document.ts';
import { auditOf, type Actor, type Office } from './office.ts';

/** A policy as it stands: `version` 0 is the default that nobody stored. */
export interface StandingPolicy {
  readonly version: number;
  readonly document: unknown;
  readonly author: string | null;
  readonly atMs: number | null;
}

export type PolicyOwner = { readonly project: Project } | { readonly workspace: Workspace };

/** The policy in force, every default written out. */
export function currentPolicy({ registry }: Office, owner: PolicyOwner): StandingPolicy {
  const stored = 'project' in owner ? registry.projectPolicy(owner.project.id) : registry.workspacePolicy(owner.workspace.id);
  if (stored) return shown(stored);
  return { version: 0, document: 'project' in owner ? defaultPolicy() : defaultWorkspacePolicy(), author: null, atMs: null };
}

/**
 * Stores a new version; requests that come after are judged by it. `expectedVersion` (from If-Match) refuses with 409 when
 * somebody was faster. Throws a Refusal that names the wrong field.
 */
export function savePolicy(
  office: Office,
  actor: Actor,
  owner: PolicyOwner,
  json: unknown,
  expectedVersion: number | null,
): Promise<StandingPolicy> {
  const document = parsedPolicy(owner, json);
  const subject = 'project' in owner ? owner.project : owner.workspace;
  return office.turns.take(`policy ${subject.publicId}`, async () => {
    const before = currentPolicy(office, owner);
    if (expectedVersion !== null && expectedVersion !== before.version)
      throw new Refusal('conflict', `The policy is at version ${before.version} by now. Read it again and repeat your change.`);
    const storedOwner = 'project' in owner ? { projectId: subject.id } : { workspaceId: subject.id };
    const audit = auditOf(actor, 'policy.set', subject.publicId, { before: before.document, after: document });
    const stored = await office.store.savePolicy(storedOwner, JSON.stringify(document), actor.id, audit);
    office.registry.putPolicy(stored);
    return shown(stored);
  });
}

/** The policy as it would be stored, every default written out, without storing it. Throws a Refusal that names the wrong field. */
export function previewPolicy(office: Office, owner: PolicyOwner, json: unknown): StandingPolicy {
  return { ...currentPolicy(office, owner), document: parsedPolicy(owner, json) };
}

function parsedPolicy(owner: PolicyOwner, json: unknown): PolicyDocument | WorkspacePolicyDocument {
  const parsed = 'project' in owner ? parsePolicy(json) : parseWorkspacePolicy(json);
  if (parsed instanceof PolicyProblem) {
    const reason = parsed.message.includes('not known') ? 'unknown_field' : 'invalid_value';
    throw new Refusal(
      reason,
      `${parsed.path === '' ? 'The policy' : parsed.path}: ${parsed.message}`,
      parsed.path === '' ? {} : { param: parsed.path },
    );
  }
  return parsed;
}

/** Every stored version, newest first. */
export async function policyVersions(office: Office, owner: PolicyOwner): Promise<StandingPolicy[]> {
  const storedOwner = 'project' in owner ? { projectId: owner.project.id } : { workspaceId: owner.workspace.id };
  return (await office.store.listPolicies(storedOwner)).map(shown);
}

function shown(stored: PolicyVersion): StandingPolicy {
  return { version: stored.version, document: JSON.parse(stored.document) as unknown, author: stored.author, atMs: stored.atMs };
}
