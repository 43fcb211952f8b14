import type { AnswerBody } from './relay.ts';

/** A whole answer, or its beginning when it is larger than we want to hold. */
export interface Collected {
  readonly bytes: Uint8Array;
  /** False when the limit was reached: the rest is still to be read from the body. */
  readonly whole: boolean;
}

/** Reads up to `limitBytes` of an answer. Rejects when the connection broke. */
export async function collect(body: AnswerBody, limitBytes: number): Promise<Collected> {
  const first = await body.read();
  if (first === null) return { bytes: new Uint8Array(0), whole: true };
  const chunks = [first];
  let length = first.byteLength;
  while (length <= limitBytes) {
    const chunk = await body.read();
    if (chunk === null) return { bytes: joined(chunks, length), whole: true };
    chunks.push(chunk);
    length += chunk.byteLength;
  }
  return { bytes: joined(chunks, length), whole: false };
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const all = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    all.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return all;
}
