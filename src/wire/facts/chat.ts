import type { Refusal } from '../../domain/errors.ts';
import { invalid, isAbsent, isObject, type JsonObject } from './checks.ts';
import { walkContent, walkImages } from './content.ts';
import { referencePart } from './media.ts';
import type { Tally } from './tally.ts';
import { repeatsAtEnd } from './tools.ts';

/** Members of a message that are walked on their own. */
const NOT_TEXT: ReadonlySet<string> = new Set(['content', 'cache_control', 'audio', 'images']);
/** The id of a call is none: some templates write it out, and it may be as long as a short text. */
const LABELS: ReadonlySet<string> = new Set(['role', 'id']);
/** Members under which some servers take more than text beside the content. */
const ATTACHED: ReadonlySet<string> = new Set(['image', 'videos', 'video', 'files', 'file_ids', 'attachments']);

const isNothing = (value: unknown): boolean => isAbsent(value) || (Array.isArray(value) && value.length === 0);

function walkMessage(tally: Tally, message: JsonObject): void {
  tally.cacheControl(message);
  walkContent(tally, message['content']);
  // OpenRouter answers with images beside the content, and clients send them back.
  walkImages(tally, message['images']);
  for (const name in message) {
    if (LABELS.has(name)) tally.label(message[name]);
    else if (!NOT_TEXT.has(name)) tally.json(message[name]);
    if (ATTACHED.has(name) && !isNothing(message[name])) tally.media.push(referencePart('file'));
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
