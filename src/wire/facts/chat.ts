import type { Refusal } from '../../domain/errors.ts';
import { invalid, isObject, type JsonObject } from './checks.ts';
import { walkContent } from './content.ts';
import { referencePart } from './media.ts';
import type { Tally } from './tally.ts';
import { repeatsAtEnd } from './tools.ts';

/** Members of a message that are walked on their own. */
const NOT_TEXT: ReadonlySet<string> = new Set(['content', 'cache_control', 'audio']);
const LABELS: ReadonlySet<string> = new Set(['role', 'tool_call_id', 'id']);

function walkMessage(tally: Tally, message: JsonObject): void {
  tally.cacheControl(message);
  walkContent(tally, message['content']);
  for (const name in message) {
    if (LABELS.has(name)) tally.label(message[name]);
    else if (!NOT_TEXT.has(name)) tally.json(message[name]);
  }
  if (isObject(message['audio'])) {
    tally.reference(message['audio']['id']);
    tally.media.push(referencePart('audio'));
  }
}

/** `messages`, counted. A refusal when it is no array of objects. */
export function walkMessages(tally: Tally, value: JsonObject): Refusal | null {
  const messages = value['messages'];
  if (!Array.isArray(messages)) return invalid('messages', 'an array');
  tally.messageCount = messages.length;
  for (let index = 0; index < messages.length; index++) {
    const message: unknown = messages[index];
    if (!isObject(message)) return invalid(`messages.${index}`, 'an object');
    walkMessage(tally, message);
  }
  return null;
}

function callsOf(message: JsonObject): string[] {
  const calls: unknown[] = Array.isArray(message['tool_calls']) ? message['tool_calls'] : [];
  const bodies = calls.map((call) => (isObject(call) ? (call['function'] ?? call['custom']) : null));
  if (isObject(message['function_call'])) bodies.push(message['function_call']);
  return bodies.filter(isObject).map((call) => JSON.stringify([call['name'], call['arguments'] ?? call['input']]));
}

/** How often the last tool call of the conversation was already made, in a row at its end. */
export function chatRepeats(messages: unknown): number {
  if (!Array.isArray(messages)) return 0;
  let calls: string[] = [];
  for (let index = messages.length - 1; index >= 0; index--) {
    const message: unknown = messages[index];
    if (!isObject(message)) break;
    if (message['role'] === 'tool' || message['role'] === 'function') continue;
    const own = message['role'] === 'assistant' ? callsOf(message) : [];
    if (own.length === 0) break;
    calls = [...own, ...calls];
    // Two different calls next to each other end the row.
    if (calls[0] !== calls.at(-1)) break;
  }
  return repeatsAtEnd(calls);
}
