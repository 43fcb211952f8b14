import { Refusal } from '../domain/errors.ts';
import { newPublicId } from '../domain/ids.ts';
import { hashSecret, newSecret } from '../domain/key.ts';
import type { Operator, OperatorRole } from '../ledger/store.ts';
import { futureMoment } from './moment.ts';
import { auditOf, type Actor, type Office } from './office.ts';

/** What a new operator is asked to be. `expiresAt` is ISO 8601, null for a token that does not expire. */
export interface OperatorRequest {
  readonly name: string;
  readonly role: OperatorRole;
  readonly expiresAt: string | null;
}

/** An operator who was just made, with the token: it can be seen only now. */
export interface MadeOperator {
  readonly operator: Operator;
  readonly token: string;
}

/** All operators, oldest first. */
export function listOperators({ registry }: Office): Operator[] {
  return registry.operators().toSorted((a, b) => a.id - b.id);
}

/** Lets somebody in. An owner may do all, a viewer only look. */
export async function createOperator(office: Office, actor: Actor, request: OperatorRequest): Promise<MadeOperator> {
  const { name, role } = request;
  const expiresAtMs = request.expiresAt === null ? null : futureMoment(office, request.expiresAt, 'expires_at');
  const token = newSecret('po_live_');
  const publicId = newPublicId('opr');
  const audit = auditOf(actor, 'operator.create', publicId, { name, role, expires_at: request.expiresAt });
  const operator = await office.store.createOperator({ publicId, name, role, tokenSha256: hashSecret(token), expiresAtMs }, audit);
  office.registry.putOperator(operator);
  return { operator, token };
}

/** Shuts an operator out, at once. The last owner whose token does not expire stays: somebody must be able to let others in. */
export function deleteOperator(office: Office, actor: Actor, id: string): Promise<void> {
  return office.turns.take('operators', async () => {
    const operators = listOperators(office);
    const operator = operators.find(({ publicId }) => publicId === id);
    if (!operator) throw new Refusal('unknown_resource', `There is no operator ${JSON.stringify(id.slice(0, 100))}.`);
    const others = operators.filter((other) => other !== operator && other.role === 'owner' && other.expiresAtMs === null);
    if (others.length === 0 && operator.role === 'owner')
      throw new Refusal('conflict', 'This is the last owner whose token does not expire. Make another one first.');
    await office.store.deleteOperator(operator.id, auditOf(actor, 'operator.delete', id, { name: operator.name, role: operator.role }));
    office.registry.dropOperator(operator);
  });
}
