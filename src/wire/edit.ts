import type { BodyEdit } from '../domain/facts.ts';
import { JsonBody } from './json.ts';
import { NO_LONG_TEXTS } from './json/long-text.ts';
import { isNamed, spansOf, type MemberSpan } from './json/members.ts';
import { isSpace, scanObject } from './json/scan.ts';

/** What becomes of one member: new JSON, null to remove it, or changes inside the object that it holds. */
type Change = string | null | Map<string, string | null>;

/**
 * The body with these members replaced, added (last in their object) or removed, and every other byte as it was.
 * A parent that is missing, null, or no object is made when something is put into it. A removal takes exactly one comma.
 * `json` of an edit must be valid JSON. Later edits win. Throws a RangeError for a path that has not one or two names.
 */
export function editBody(body: JsonBody, edits: readonly BodyEdit[]): Uint8Array {
  return joined(editParts(body, edits));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  let length = 0;
  for (const part of parts) length += part.length;
  const out = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The same, in pieces that share the memory of the body: for a body that is too large to be copied once more than must be. */
export function editParts(body: JsonBody, edits: readonly BodyEdit[]): readonly Uint8Array[] {
  if (edits.length === 1 && isAddition(body, edits[0]!)) return withAddition(body, edits[0]!);
  const changes = new Map<string, Change>();
  for (let index = 0; index < edits.length; index++) {
    // A member that was set as a whole and is then edited inside must be read again first.
    if (!addChange(changes, edits[index]!)) return editParts(reread(joined(applied(body, changes))), edits.slice(index));
  }
  return changes.size === 0 ? [body.bytes] : applied(body, changes);
}

/** The common case: one new member at the end of the outermost object. */
function isAddition(body: JsonBody, { path, json }: BodyEdit): boolean {
  return path.length === 1 && json !== null && !body.has(path[0]!);
}

function withAddition(body: JsonBody, { path, json }: BodyEdit): readonly Uint8Array[] {
  const { bytes } = body;
  // White space before the brace stays before it: the member goes right behind the last value.
  const at = endOfLastValue(body);
  const text = `${bytes[at - 1] === 0x7b ? '' : ','}${JSON.stringify(path[0])}:${json}`;
  return [bytes.subarray(0, at), Buffer.from(text), bytes.subarray(at)];
}

function endOfLastValue({ bytes, end }: JsonBody): number {
  let at = end - 1;
  while (isSpace(bytes[at - 1])) at--;
  return at;
}

/** False when the edit needs the outcome of one that is already in `changes`. */
function addChange(changes: Map<string, Change>, { path, json }: BodyEdit): boolean {
  const [parent, child] = path;
  if (parent === undefined || path.length > 2) throw new RangeError('a path of an edit has one or two names');
  if (child === undefined) {
    changes.set(parent, json);
    return true;
  }
  const change = changes.get(parent);
  if (change instanceof Map) change.set(child, json);
  else if (change === undefined) changes.set(parent, new Map([[child, json]]));
  else return false;
  return true;
}

function reread(bytes: Uint8Array): JsonBody {
  const { end, marks } = scanObject(bytes, bytes.indexOf(0x7b));
  return new JsonBody(bytes, {}, NO_LONG_TEXTS, bytes.indexOf(0x7b), end, marks);
}

function applied(body: JsonBody, changes: ReadonlyMap<string, Change>): readonly Uint8Array[] {
  const pieces = new Pieces(body.bytes);
  pieces.copy(0, body.start);
  writeObject(pieces, body.start, body.end, body.members, changes);
  pieces.copy(body.end, body.bytes.length);
  return pieces.all();
}

function writeObject(
  pieces: Pieces,
  start: number,
  end: number,
  members: readonly MemberSpan[],
  changes: ReadonlyMap<string, Change>,
): void {
  const missing = new Map(changes);
  let written = 0;
  let before = start + 1;
  pieces.copy(start, before);
  for (const member of members) {
    const name = nameAmong(pieces.source, member, changes);
    const change = name === undefined ? undefined : changes.get(name);
    if (name !== undefined) missing.delete(name);
    if (change !== null) {
      // The white space before the first key belongs to the brace, not to the member.
      if (written++ === 0) pieces.copy(start + 1, members[0]!.keyStart);
      else pieces.copy(before, member.keyStart);
      pieces.copy(member.keyStart, member.valueStart);
      writeValue(pieces, member, change);
    }
    before = member.valueEnd;
  }
  for (const [name, change] of missing) {
    const json = change instanceof Map ? objectOf(change) : change;
    if (json !== null) pieces.text(`${written++ === 0 ? '' : ','}${JSON.stringify(name)}:${json}`);
  }
  pieces.copy(before, end);
}

function nameAmong(bytes: Uint8Array, member: MemberSpan, changes: ReadonlyMap<string, Change>): string | undefined {
  for (const name of changes.keys()) if (isNamed(bytes, member.keyStart, member.keyEnd, name)) return name;
  return undefined;
}

function writeValue(pieces: Pieces, member: MemberSpan, change: string | Map<string, string | null> | undefined): void {
  if (typeof change === 'string') return pieces.text(change);
  if (change !== undefined && pieces.source[member.valueStart] === 0x7b) {
    const { end, marks } = scanObject(pieces.source, member.valueStart);
    return writeObject(pieces, member.valueStart, end, spansOf(pieces.source, marks), change);
  }
  const made = change === undefined ? null : objectOf(change);
  if (made === null) pieces.copy(member.valueStart, member.valueEnd);
  else pieces.text(made);
}

/** A new parent, or null when the changes only remove. */
function objectOf(changes: ReadonlyMap<string, string | null>): string | null {
  const members: string[] = [];
  for (const [name, json] of changes) if (json !== null) members.push(`${JSON.stringify(name)}:${json}`);
  return members.length === 0 ? null : `{${members.join(',')}}`;
}

/** A row of ranges of the source and new text. Ranges that touch become one, so that the source is copied in few pieces. */
class Pieces {
  readonly #parts: Uint8Array[] = [];
  #from = 0;
  #to = 0;

  constructor(readonly source: Uint8Array) {}

  copy(from: number, to: number): void {
    if (from === this.#to) {
      this.#to = to;
      return;
    }
    this.#close();
    this.#from = from;
    this.#to = to;
  }

  text(text: string): void {
    this.#close();
    this.#from = this.#to;
    this.#parts.push(Buffer.from(text));
  }

  all(): readonly Uint8Array[] {
    this.#close();
    return this.#parts;
  }

  #close(): void {
    if (this.#to > this.#from) this.#parts.push(this.source.subarray(this.#from, this.#to));
  }
}
