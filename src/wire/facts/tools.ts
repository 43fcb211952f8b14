import { isAbsent, isObject, type JsonObject } from './checks.ts';
import type { Tally } from './tally.ts';

/** Tools that the client itself runs: all that the model sees of them is in the body. */
const CLIENT_TOOLS: ReadonlySet<string> = new Set(['function', 'custom', 'local_shell', 'apply_patch', 'computer', 'computer_use_preview']);

/** Whether the client runs the tool, so that only its definition costs. */
function isClientTool(tool: JsonObject, type: string): boolean {
  if (CLIENT_TOOLS.has(type)) return true;
  if (type === 'tool_search') return tool['execution'] === 'client';
  // A hosted shell runs in a container that is billed; a local one on the client's machine.
  if (type === 'shell') return !isObject(tool['environment']) || tool['environment']['type'] === 'local';
  return false;
}

/** The kind of a tool. One that says none is a function when it looks like one, and else what its first member says. */
function typeOf(tool: JsonObject): string {
  if (typeof tool['type'] === 'string') return tool['type'];
  const isFunction = isObject(tool['function']) || typeof tool['name'] === 'string';
  return isFunction ? 'function' : (Object.keys(tool)[0] ?? 'function');
}

function walkTool(tally: Tally, tool: unknown): void {
  tally.toolCount++;
  if (typeof tool === 'string') tally.hostedTools.push(tool);
  if (!isObject(tool)) return;
  tally.cacheControl(tool);
  const type = typeOf(tool);
  if (type === 'namespace') {
    if (Array.isArray(tool['tools'])) for (const inner of tool['tools']) walkTool(tally, inner);
    return;
  }
  if (isClientTool(tool, type)) return;
  tally.hostedTools.push(type);
  if (Array.isArray(tool['vector_store_ids'])) for (const id of tool['vector_store_ids']) tally.reference(id);
  walkContainer(tally, tool['container']);
}

/** `code_interpreter` may run in a container of before, on files that are stored. */
function walkContainer(tally: Tally, container: unknown): void {
  tally.reference(container);
  if (isObject(container) && Array.isArray(container['file_ids'])) {
    for (const id of container['file_ids']) tally.reference(id);
  }
}

/** A list of tools: their bytes, their number, and which of them the provider runs. */
export function walkToolList(tally: Tally, list: unknown): void {
  if (isAbsent(list) || (Array.isArray(list) && list.length === 0)) return;
  tally.schema(list);
  tally.wantsLongAnswer = true;
  for (const tool of Array.isArray(list) ? list : [list]) walkTool(tally, tool);
}

/** `tools`, and `functions` of before. */
export function walkTools(tally: Tally, value: JsonObject): void {
  walkToolList(tally, value['tools']);
  walkToolList(tally, value['functions']);
  if (isObject(value['tool_choice'])) tally.json(value['tool_choice']);
}

/** How often the last of `calls` was made right before, in a row: 0 when it stands alone. Each call is name and arguments. */
export function repeatsAtEnd(calls: readonly string[]): number {
  const last = calls.at(-1);
  let index = calls.length - 1;
  while (index > 0 && calls[index - 1] === last) index--;
  return calls.length === 0 ? 0 : calls.length - 1 - index;
}
