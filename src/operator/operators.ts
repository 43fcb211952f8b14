import { Refusal } from '../domain/errors.ts';
import { newPublicId } from '../domain/ids.ts';
import { hashSecret, newSecret } from '../domain/key.ts';
import type { Operator, OperatorRole } from '../ledger/store.ts';
import { missing, workspaceOf } from './find.ts';
import { futureMoment } from './moment.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import { covers, type Scope } from './scope.ts';

/** What a new operator is asked to be. `expiresAt` is ISO 8601, null for a token that does not expire. */
export interface OperatorRequest {
  readonly name: string;
  readonly role: OperatorRole;
  readonly expiresAt: string | null;
  /** Id or name of the one workspace to see; null for the whole installation; left out, the same as who asks. */
  readonly workspace?: string | null | undefined;
}

/** An operator who was just made, with the token: it can be seen only now. */
export interface MadeOperator {
  readonly operator: Operator;
  readonly token: string;
}

/** The operators of the scope, oldest first: those of the whole installation are seen by their own kind only. */
export function listOperators({ registry }: Office, scope: Scope): Operator[] {
  return registry
    .operators()
    .filter(({ workspaceId }) => covers(scope, workspaceId))
    .toSorted((a, b) => a.id - b.id);
}

/** Lets somebody in. An owner may do all, a viewer only look; neither sees more than who lets them in. */
export async function createOperator(office: Office, scope: Scope, actor: Actor, request: OperatorRequest): Promise<MadeOperator> {
  const { name, role } = request;
  const workspaceId = reachOf(office, scope, request.workspace);
  const expiresAtMs = request.expiresAt === null ? null : futureMoment(office, request.expiresAt, 'expires_at');
  const token = newSecret('po_live_');
  const publicId = newPublicId('opr');
  const workspace = workspaceId === null ? null : office.registry.workspaces.get(workspaceId)!.publicId;
  const audit = auditOf(actor, 'operator.create', publicId, { name, role, workspace, expires_at: request.expiresAt });
  const fresh = { publicId, name, role, tokenSha256: hashSecret(token), expiresAtMs, workspaceId };
  const operator = await office.store.createOperator(fresh, audit);
  office.registry.putOperator(operator);
  return { operator, token };
}

/**
 * Shuts an operator out, at once. The last owner of the installation whose token does not expire stays: somebody must be able to let
 * others in. A workspace may lose its last owner, because those of the installation can make another.
 */
export function deleteOperator(office: Office, scope: Scope, actor: Actor, id: string): Promise<void> {
  return office.turns.take('operators', async () => {
    const operators = listOperators(office, scope);
    const operator = operators.find(({ publicId }) => publicId === id) ?? missing('operator', id);
    if (isKeeper(operator) && !operators.some((other) => other !== operator && isKeeper(other) && other.expiresAtMs === null))
      throw new Refusal('conflict', 'This is the last owner whose token does not expire. Make another one first.');
    await office.store.deleteOperator(operator.id, auditOf(actor, 'operator.delete', id, { name: operator.name, role: operator.role }));
    office.registry.dropOperator(operator);
  });
}

/** Whether this operator still may look: what goes on for long asks again and again. */
export function isLetIn({ registry, clock }: Office, operatorId: string): boolean {
  const operator = registry.operators().find(({ publicId }) => publicId === operatorId);
  return operator !== undefined && (operator.expiresAtMs === null || operator.expiresAtMs > clock.nowMs());
}

/** Whether this is one of those who can always let others in. */
function isKeeper({ role, workspaceId }: Operator): boolean {
  return role === 'owner' && workspaceId === null;
}

function reachOf({ registry }: Office, scope: Scope, workspace: string | null | undefined): number | null {
  if (workspace === undefined) return scope.workspaceId;
  if (workspace !== null) return workspaceOf(registry, scope, workspace).id;
  if (scope.workspaceId === null) return null;
  throw new Refusal('forbidden', 'You are bound to a workspace, and can let others into that one only.', { param: 'workspace_id' });
}
