import type { BodyEdit } from '../domain/facts.ts';
import { forwardEdits, injectsUsage } from '../pricing/edits.ts';
import { editBody } from '../wire/edit.ts';
import type { Attempt } from './attempt.ts';
import type { Priced } from './price.ts';

/** The body that leaves, and what we put into it. */
export interface Outgoing {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Top-level fields that were put in or changed: the provider may refuse one of them. */
  readonly injectedFields: readonly string[];
  /** True when the client did not ask for usage and we did: what that adds is taken out again. */
  readonly stripsUsage: boolean;
}

/** The provider refused a field that we had put in: to be asked again without it, as an attempt of its own. */
export class FieldRefused {
  constructor(readonly field: string) {}
}

/** The client's bytes with our edits spliced in; the very same bytes when there are none. */
export function outgoingBody(attempt: Attempt, pricing: Parameters<typeof forwardEdits>[3]): Outgoing {
  const { priced, verdict } = attempt;
  const { facts, candidate } = priced;
  const refused = priced.connection?.refusedFields;
  const edits: BodyEdit[] = forwardEdits(facts, priced.profile, candidate.quote, pricing, verdict.outputCap).filter(
    (edit) => !refused?.has(edit.path[0]!),
  );
  const stripsUsage = facts.includeUsage !== true && injectsUsage(facts, priced.profile) && !refused?.has('stream_options');
  if (stripsUsage) edits.push({ path: ['stream_options', 'include_usage'], json: 'true' });
  const injectedFields = edits.map((edit) => edit.path[0]!);
  if (priced.forwardModel !== facts.model) edits.push({ path: ['model'], json: JSON.stringify(priced.forwardModel) });
  const bytes = edits.length === 0 ? priced.body.bytes : editBody(priced.body, edits);
  return { bytes: bytes as Uint8Array<ArrayBuffer>, injectedFields, stripsUsage };
}

/** The injected field that an error body complains about, or null. Providers name it in `param` or in the sentence. */
export function refusedField(outgoing: Outgoing, status: number, errorBody: Uint8Array): string | null {
  if (outgoing.injectedFields.length === 0 || (status !== 400 && status !== 422)) return null;
  const text = Buffer.from(errorBody).toString('utf8', 0, 8_192);
  return outgoing.injectedFields.find((field) => text.includes(field)) ?? null;
}

/** The field of the output cap among the fields that a connection refused, for this request. */
export function capFieldRefused(priced: Pick<Priced, 'connection' | 'profile' | 'facts'>): boolean {
  const field = priced.profile.capField[priced.facts.route];
  return field !== null && (priced.connection?.refusedFields.has(field) ?? false);
}
