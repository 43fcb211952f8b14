import { Refusal } from '../domain/errors.ts';
import type { Gateway } from './gateway.ts';
import type { Priced } from './price.ts';

/** The beginning of the ids under which OpenAI keeps responses. */
const RESPONSE_ID = 'resp_';

/** Each is a question to the ledger's reader, before anything is admitted. */
const MAX_RESPONSES = 32;

/**
 * A stored response may be referred to only by the project that it was made for: two projects behind one provider key
 * must not read each other. An id that we never saw is the provider's to judge, where the policy allows references at all.
 */
export async function checkReferences(gateway: Gateway, priced: Priced): Promise<Refusal | null> {
  const { storedReferences, projectId } = priced.candidate;
  const responses = new Set(storedReferences.filter((id) => id.startsWith(RESPONSE_ID)));
  if (responses.size > MAX_RESPONSES)
    return new Refusal('invalid_value', `The request refers to ${responses.size} stored responses; it may refer to ${MAX_RESPONSES}.`);
  for (const id of responses) {
    const owner = await gateway.responseOwner(id);
    if (owner !== null && owner !== projectId)
      return new Refusal('invalid_value', `There is no response ${JSON.stringify(id.slice(0, 100))}.`);
  }
  return null;
}
