import { objectIn, type Figures, type Json } from './figures.ts';

/** Calls that cost nothing but their tokens: the client runs them, or a server that is not the provider's. */
const FREE_CALLS: ReadonlySet<string> = new Set([
  'function_call',
  'custom_tool_call',
  'computer_call',
  'local_shell_call',
  'apply_patch_call',
  'mcp_call',
  'tool_search_call',
]);

/** Of `web_search_call` items only searches are billed, opening and scrolling a page is not. Source: OpenAI's guide to web search. */
const UNBILLED_ACTIONS: ReadonlySet<unknown> = new Set(['open_page', 'find', 'find_in_page']);

type Counts = Record<string, number>;

/** Names come from the provider and go into rows: odd ones, and all past so many, count as `other`. */
const MAX_TOOLS = 12;
const TOOL_NAME = /^[a-z][a-z0-9_]{0,39}$/;

/** Calls of hosted tools by tool type, or null when there were none. */
export function readToolCalls(answer: Json, usage: Json, figures: Figures): Readonly<Counts> | null {
  const counts: Counts = Object.create(null) as Counts;
  addOutputItems(counts, answer['output']);
  addServerToolUse(counts, objectIn(usage['server_tool_use']), '_requests', figures);
  const details = objectIn(usage['server_side_tool_usage_details']);
  addServerToolUse(counts, details, '_calls', figures);
  raise(counts, 'search_query', figures.count(usage['num_search_queries']));
  raise(counts, 'live_search_source', figures.count(usage['num_sources_used']));
  if (details === null) raise(counts, 'server_side_tool', figures.count(usage['num_server_side_tools_used']));
  return Object.keys(counts).length === 0 ? null : { ...counts };
}

/** Responses: `web_search_call` and the like among the output items. */
function addOutputItems(counts: Counts, output: unknown): void {
  if (!Array.isArray(output)) return;
  for (const entry of output) {
    const item = objectIn(entry);
    const type = item?.['type'];
    if (item === null || typeof type !== 'string' || !type.endsWith('_call') || FREE_CALLS.has(type)) continue;
    if (UNBILLED_ACTIONS.has(objectIn(item['action'])?.['type'])) continue;
    const tool = toolName(counts, type.slice(0, -'_call'.length));
    counts[tool] = (counts[tool] ?? 0) + 1;
  }
}

/** `{web_search_requests: 2}` or `{web_search_calls: 2}`. */
function addServerToolUse(counts: Counts, use: Json | null, ending: string, figures: Figures): void {
  if (use === null) return;
  for (const [name, value] of Object.entries(use)) {
    if (name.endsWith(ending)) raise(counts, toolName(counts, name.slice(0, -ending.length)), figures.count(value));
  }
}

/** The same calls may be told in two places: the greater count stands. */
function raise(counts: Counts, tool: string, count: number | null): void {
  if (count !== null && count > 0) counts[tool] = Math.max(counts[tool] ?? 0, count);
}

function toolName(counts: Counts, name: string): string {
  if (counts[name] !== undefined) return name;
  return TOOL_NAME.test(name) && Object.keys(counts).length < MAX_TOOLS ? name : 'other';
}
