import { Refusal } from '../domain/errors.ts';
import type { BodyEdit, PricingRules } from '../domain/facts.ts';
import { forwardEdits, injectsUsage } from '../pricing/edits.ts';
import { editBody, editParts } from '../wire/edit.ts';
import type { JsonBody } from '../wire/json.ts';
import { objectIn } from '../wire/usage/figures.ts';
import type { Attempt } from './attempt.ts';
import type { Priced } from './price.ts';

/** A body of at least this size leaves in pieces: to put it together is one copy more, and that of a small one costs nothing. */
const IN_PIECES_BYTES = 64 * 1024;

/** The body that leaves, and what we put into it. */
export interface Outgoing {
  readonly body: Uint8Array<ArrayBuffer>;
  /** What follows `body` of a large one. */
  readonly moreBody: readonly Uint8Array<ArrayBuffer>[];
  /** What the client sent. */
  readonly clientBytes: Uint8Array;
  /** Top-level fields that the client did not send and that may be left out again when the provider refuses them. */
  readonly injectedFields: readonly string[];
  /** True when the client did not ask for usage and we did: what that adds is taken out again. */
  readonly stripsUsage: boolean;
}

/** The provider refused a field that we had put in: to be asked again without it, as an attempt of its own. */
export class FieldRefused {
  constructor(readonly field: string) {}
}

/**
 * The client's bytes with our edits spliced in; the very same bytes when there are none. A refusal when the cap that the hold
 * was made with can be said in no field that this provider reads: then nothing may be sent.
 */
export function outgoingBody(attempt: Attempt, body: JsonBody, pricing: PricingRules): Outgoing | Refusal {
  const { priced, verdict } = attempt;
  const { facts, candidate } = priced;
  const edits: BodyEdit[] = [];
  let isCapped = false;
  for (const edit of forwardEdits(facts, priced.profile, candidate.quote, pricing, verdict.outputCap)) {
    const field = edit.path[0]!;
    if (isRemovable(field, priced) && isLeftOut(field, priced, body)) continue;
    edits.push(edit);
    isCapped ||= isObeyedCap(field, priced);
  }
  if (verdict.outputCap !== null && !isCapped) return cannotCap(verdict.outputCap);
  const stripsUsage = facts.includeUsage !== true && injectsUsage(facts, priced.profile) && !isLeftOut('stream_options', priced, body);
  if (stripsUsage) edits.push({ path: ['stream_options', 'include_usage'], json: 'true' });
  const injectedFields: string[] = [];
  for (const { path } of edits) if (isRemovable(path[0]!, priced) && !body.has(path[0]!)) injectedFields.push(path[0]!);
  if (priced.forwardModel !== facts.model) edits.push({ path: ['model'], json: JSON.stringify(priced.forwardModel) });
  const inPieces = priced.connection !== null && edits.length > 0 && body.bytes.length >= IN_PIECES_BYTES;
  const pieces = inPieces ? editParts(body, edits) : NO_PIECES;
  const first = inPieces ? pieces[0]! : edits.length === 0 ? body.bytes : editBody(body, edits);
  return {
    body: first as Uint8Array<ArrayBuffer>,
    moreBody: (inPieces ? pieces.slice(1) : NO_PIECES) as readonly Uint8Array<ArrayBuffer>[],
    clientBytes: body.bytes,
    injectedFields,
    stripsUsage,
  };
}

/** A field that this provider refused, and that only we would put in. */
function isLeftOut(field: string, { connection }: Priced, body: JsonBody): boolean {
  return connection?.refusedFields.has(field) === true && !body.has(field);
}

const NO_PIECES: readonly Uint8Array[] = [];

/**
 * What can be left out with another hold (a cap) or with none (usage). What pins a price cannot: without `service_tier` or
 * `max_price` the request could cost more than it holds, so the client then gets the provider's own refusal.
 */
function isRemovable(field: string, priced: Priced): boolean {
  return field === 'stream_options' || field === priced.profile.capField[priced.facts.route];
}

function isObeyedCap(field: string, { profile, facts }: Priced): boolean {
  return field === profile.capField[facts.route] || profile.obeyedCapFields[facts.route].includes(field);
}

function cannotCap(cap: number): Refusal {
  return new Refusal(
    'token_guard',
    `The policy caps the output at ${cap} tokens, but the provider refuses the field that says so. Send an output cap of at most ${cap} yourself.`,
  );
}

/**
 * The injected field that an error complains about, or null. Providers name it in `param`, or somewhere in the text. There,
 * a name that the client's own body holds says nothing: the provider may be quoting the client, who must not be able to talk
 * us out of a field.
 */
export function refusedField(outgoing: Outgoing, status: number, errorBody: Uint8Array): string | null {
  if (outgoing.injectedFields.length === 0 || (status !== 400 && status !== 422)) return null;
  const text = Buffer.from(errorBody).toString();
  const param = paramOf(text);
  const start = text.slice(0, 8_192);
  return outgoing.injectedFields.find((field) => field === param || (names(start, field) && !clientSays(outgoing, field))) ?? null;
}

/** The first name in `param` of an error, and of nothing deeper: a provider may quote all of the client's body. */
function paramOf(text: string): string | null {
  try {
    const body = objectIn(JSON.parse(text));
    const param = (objectIn(body?.['error']) ?? body)?.['param'];
    return typeof param === 'string' ? param.split('.')[0]! : null;
  } catch {
    return null;
  }
}

function names(text: string, field: string): boolean {
  return new RegExp(`(?<!\\w)${field}(?!\\w)`).test(text);
}

/** How the escape of any character of a field's name begins. Nobody escapes those but to hide a name. */
const HIDDEN = ['\\u005', '\\u006', '\\u007'];

function clientSays({ clientBytes }: Outgoing, field: string): boolean {
  const bytes = Buffer.from(clientBytes.buffer, clientBytes.byteOffset, clientBytes.byteLength);
  return bytes.includes(field) || HIDDEN.some((escape) => bytes.includes(escape));
}

/** The field of the output cap among the fields that a connection refused, for this request. */
export function capFieldRefused(priced: Pick<Priced, 'connection' | 'profile' | 'facts'>): boolean {
  const field = priced.profile.capField[priced.facts.route];
  return field !== null && (priced.connection?.refusedFields.has(field) ?? false);
}
