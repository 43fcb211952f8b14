import type { Refusal } from '../../domain/errors.ts';
import { invalid, isAbsent, isObject, type JsonObject } from './checks.ts';
import { walkContent } from './content.ts';
import { referencePart } from './media.ts';
import type { Tally } from './tally.ts';
import { repeatsAtEnd, walkToolList } from './tools.ts';

/** Members of an item that are walked on their own. */
const NOT_TEXT: ReadonlySet<string> = new Set(['content', 'output', 'tools', 'cache_control']);
const LABELS: ReadonlySet<string> = new Set(['type', 'role', 'id', 'call_id', 'status', 'phase']);
/** Items of which the body may hold no more than the id: the provider puts in what it stored, and bills it. */
const FILLED_BY_ID: ReadonlySet<unknown> = new Set([
  'reasoning',
  'compaction',
  'image_generation_call',
  'web_search_call',
  'file_search_call',
  'code_interpreter_call',
]);

/** Whether an item stands for more than is in the body. What is encrypted comes with the request and is not looked up. */
function isFilledById(item: JsonObject): boolean {
  // An image that stands here in bytes says little of its size by them.
  if (item['type'] === 'image_generation_call') return true;
  return FILLED_BY_ID.has(item['type']) && isText(item['id']) && !isText(item['encrypted_content']);
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';

function walkItem(tally: Tally, item: JsonObject): void {
  if (item['type'] === 'item_reference' || (isAbsent(item['type']) && isAbsent(item['role']) && !isAbsent(item['id']))) {
    return tally.reference(item['id']);
  }
  tally.cacheControl(item);
  walkContent(tally, item['content']);
  // A tool's output may be text, parts, or one screenshot.
  walkContent(tally, item['output']);
  // Items may load more tools: those that the provider runs cost there what they cost in the body's own list.
  walkToolList(tally, item['tools']);
  for (const name in item) {
    if (LABELS.has(name)) tally.label(item[name]);
    else if (!NOT_TEXT.has(name)) tally.json(item[name]);
  }
  if (isFilledById(item)) tally.media.push(referencePart('stored'));
}

function walkPrompt(tally: Tally, prompt: unknown): void {
  if (!isObject(prompt)) return;
  tally.reference(prompt['id']);
  if (!isObject(prompt['variables'])) return;
  for (const variable of Object.values(prompt['variables'])) walkContent(tally, isObject(variable) ? [variable] : variable);
}

/** `input`, `instructions` and what they refer to, counted. A refusal when `input` is neither text nor items. */
export function walkInput(tally: Tally, value: JsonObject): Refusal | null {
  const input = value['input'];
  if (Array.isArray(input)) {
    tally.messageCount = input.length;
    for (let index = 0; index < input.length; index++) {
      const item: unknown = input[index];
      if (!isObject(item)) return invalid(`input.${index}`, 'an object');
      walkItem(tally, item);
    }
  } else if (typeof input === 'string') {
    tally.messageCount = 1;
    tally.text(input);
  } else if (!isAbsent(input)) return invalid('input', 'a string or an array');
  if (!isAbsent(value['instructions'])) {
    tally.messageCount++;
    walkContent(tally, value['instructions']);
  }
  tally.reference(value['previous_response_id']);
  const conversation = value['conversation'];
  tally.reference(isObject(conversation) ? conversation['id'] : conversation);
  walkPrompt(tally, value['prompt']);
  return null;
}

/** How often the last tool call of the conversation was already made, in a row at its end. */
export function responsesRepeats(input: unknown): number {
  if (!Array.isArray(input)) return 0;
  const calls: string[] = [];
  for (let index = input.length - 1; index >= 0; index--) {
    const item: unknown = input[index];
    if (!isObject(item)) break;
    const type = item['type'];
    if (type === 'function_call' || type === 'custom_tool_call') {
      calls.unshift(JSON.stringify([item['name'], item['arguments'] ?? item['input']]));
      if (calls[0] !== calls.at(-1)) break;
    } else if (isAbsent(type) || type === 'message') break;
  }
  return repeatsAtEnd(calls);
}
