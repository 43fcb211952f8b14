import { isSpace, skipSpace } from './scan.ts';

/** Where a member of an object stands in the bytes; ends are exclusive, quotes are inside the key. */
export interface MemberSpan {
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** The members that the marks of a scan stand for, in their order. */
export function spansOf(bytes: Uint8Array, marks: readonly number[]): readonly MemberSpan[] {
  const spans: MemberSpan[] = [];
  for (let at = 0; at + 3 < marks.length; at += 4) {
    const valueStart = skipSpace(bytes, marks[at + 2]! + 1);
    let valueEnd = marks[at + 3]!;
    while (isSpace(bytes[valueEnd - 1])) valueEnd--;
    spans.push({ keyStart: marks[at]!, keyEnd: marks[at + 1]!, valueStart, valueEnd });
  }
  return spans;
}

const decoder = new TextDecoder();

/** The name of a member, escapes decoded. */
export function nameOf(bytes: Uint8Array, keyStart: number, keyEnd: number): string {
  return JSON.parse(decoder.decode(bytes.subarray(keyStart, keyEnd))) as string;
}

/** Whether a key has this name. Keys without escapes are compared in place. */
export function isNamed(bytes: Uint8Array, keyStart: number, keyEnd: number, name: string): boolean {
  let at = keyStart + 1;
  for (let index = 0; at < keyEnd - 1; at++, index++) {
    const byte = bytes[at]!;
    if (byte === 0x5c || byte > 0x7f) return nameOf(bytes, keyStart, keyEnd) === name;
    if (byte !== name.charCodeAt(index)) return false;
  }
  return keyEnd - keyStart - 2 === name.length;
}

/** What to cut so that the member `index` and exactly one comma are gone. */
export function cutOf(spans: readonly MemberSpan[], index: number): { from: number; to: number } {
  const span = spans[index]!;
  if (index > 0) return { from: spans[index - 1]!.valueEnd, to: span.valueEnd };
  return { from: span.keyStart, to: spans[1]?.keyStart ?? span.valueEnd };
}
