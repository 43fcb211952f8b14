import { asCount, asList, asText, type JsonObject } from './json.ts';
import { tokensOf } from './made.ts';
import { triggerOf } from './triggers.ts';

const DIMENSIONS = 1_536;
const LARGE_DIMENSIONS = 3_072;
const MAX_DIMENSIONS = 4_096;
const OVERRUN_FACTOR = 1_000;

/** The body of an embeddings answer: the same input makes the same unit vector. */
export function embeddingsJson(body: JsonObject): JsonObject {
  const model = asText(body['model']);
  const inputs = inputsOf(body['input']);
  const dimensions = Math.min(asCount(body['dimensions']) ?? (model.includes('large') ? LARGE_DIMENSIONS : DIMENSIONS), MAX_DIMENSIONS);
  const data = inputs.map((input, index) => {
    const vector = unitVector(JSON.stringify(input ?? ''), dimensions);
    return { object: 'embedding', index, embedding: body['encoding_format'] === 'base64' ? base64Of(vector) : Array.from(vector) };
  });
  const trigger = triggerOf(model);
  const factor = trigger === 'overrun' ? OVERRUN_FACTOR : 1;
  const tokens = factor * inputs.reduce((sum: number, input) => sum + tokensOfInput(input), 0);
  const usage = trigger === 'no-usage' ? {} : { usage: { prompt_tokens: tokens, total_tokens: tokens } };
  return { object: 'list', data, model, ...usage };
}

/** One text, several texts, one list of token ids, or several. */
function inputsOf(input: unknown): readonly unknown[] {
  const list = asList(input);
  return Array.isArray(input) && typeof list[0] !== 'number' ? list : [input];
}

function tokensOfInput(input: unknown): number {
  return Array.isArray(input) ? input.length : tokensOf(asText(input));
}

function unitVector(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  let state = Number(BigInt.asUintN(32, Bun.hash.xxHash3(text))) || 1;
  let squares = 0;
  for (let index = 0; index < dimensions; index++) {
    // xorshift32: any fixed sequence that looks random will do.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const value = (state >>> 0) / 2 ** 31 - 1;
    vector[index] = value;
    squares += value * value;
  }
  const length = Math.sqrt(squares) || 1;
  return vector.map((value) => value / length);
}

function base64Of(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('base64');
}
