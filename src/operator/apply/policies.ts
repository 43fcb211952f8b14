import type { NamedOwner } from '../../ledger/apply-store.ts';
import { policyChanges } from '../../policy/changes.ts';
import {
  defaultPolicy,
  defaultWorkspacePolicy,
  parsePolicy,
  parseWorkspacePolicy,
  PolicyProblem,
  type PolicyDocument,
  type WorkspacePolicyDocument,
} from '../../policy/document.ts';
import type { Draft, FieldChange } from './plan.ts';
import { wrong } from './read.ts';

/** A project's policy as the file has it, all defaults filled in. Throws a Refusal with the path in the file. */
export function projectPolicyOf(path: string, json: unknown): PolicyDocument {
  return well(path, parsePolicy(json));
}

/** The same of a workspace's. */
export function workspacePolicyOf(path: string, json: unknown): WorkspacePolicyDocument {
  return well(path, parseWorkspacePolicy(json));
}

/** What a policy would change, against the one in force; null is the one that everything is born with. */
export function policyFields(stored: string | null, wanted: PolicyDocument | WorkspacePolicyDocument): FieldChange[] {
  const isProject = 'burst' in wanted;
  const before = stored === null ? (isProject ? defaultPolicy() : defaultWorkspacePolicy()) : (JSON.parse(stored) as typeof wanted);
  return policyChanges(before, wanted).map((change) => ({ ...change, path: `policy.${change.path}` }));
}

/** Stores a policy as a new version. */
export function savePolicyStep(
  draft: Draft,
  owner: NamedOwner,
  before: string | null,
  wanted: PolicyDocument | WorkspacePolicyDocument,
): void {
  const subject = 'workspace' in owner ? owner.workspace : owner.project;
  const step = { do: 'savePolicy', owner, document: JSON.stringify(wanted), author: draft.actor.id } as const;
  draft.step(step, 'policy.set', subject, { before: before === null ? null : (JSON.parse(before) as unknown), after: wanted });
}

function well<Document>(path: string, parsed: Document | PolicyProblem): Document {
  if (!(parsed instanceof PolicyProblem)) return parsed;
  throw wrong(parsed.path === '' ? path : `${path}.${parsed.path}`, parsed.message);
}
