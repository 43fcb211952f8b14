import { asCount, asList, asObject, asText, type JsonObject } from './json.ts';
import { triggerOf, type Trigger } from './triggers.ts';

/** A function that the model may call. */
export interface FunctionTool {
  readonly name: string;
  readonly parameters: unknown;
}

/** A chat or responses request, as far as the simulator cares. */
export interface Asked {
  readonly body: JsonObject;
  readonly model: string;
  readonly trigger: Trigger | null;
  readonly stream: boolean;
  /** Every text of the input, tools included. */
  readonly inputText: string;
  /** The last thing that the user said. */
  readonly lastUserText: string;
  /** The function to call now, or null to answer with text. */
  readonly call: FunctionTool | null;
  /** Tokens for each choice, reasoning included, or null. */
  readonly outputCap: number | null;
  readonly choices: number;
  /** The schema that the answer has to fit, `{}` for any object; null for prose. */
  readonly answerSchema: unknown;
  readonly reasons: boolean;
  readonly bodyBytes: number;
}

const DEFAULT_TOOL: FunctionTool = {
  name: 'get_weather',
  parameters: { type: 'object', properties: { location: { type: 'string', const: 'Lisbon' } }, required: ['location'] },
};

/** Reads a chat completions body. */
export function readChat(body: JsonObject, bodyBytes: number): Asked {
  const messages = asList(body['messages']).map(asObject);
  const format = asObject(body['response_format']);
  const last = messages.at(-1) ?? {};
  return {
    ...common(body, bodyBytes),
    inputText: messages.map(textOfMessage).join('\n') + textOf(body['tools']),
    lastUserText: textOfContent(messages.findLast((message) => message['role'] === 'user')?.['content']),
    call: callFor(
      body,
      asList(body['tools']).map((tool) => asObject(asObject(tool)['function'])),
      last['role'] === 'tool',
    ),
    outputCap: asCount(body['max_completion_tokens']) ?? asCount(body['max_tokens']),
    choices: Math.min(asCount(body['n']) ?? 1, 128),
    answerSchema: schemaOf(format, asObject(format['json_schema'])['schema']),
    reasons: thinks(body, asText(body['reasoning_effort'])),
  };
}

/** Reads a responses body. */
export function readResponses(body: JsonObject, bodyBytes: number): Asked {
  const input = body['input'];
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : asList(input).map(asObject);
  const format = asObject(asObject(body['text'])['format']);
  return {
    ...common(body, bodyBytes),
    inputText: asText(body['instructions']) + items.map(textOfMessage).join('\n') + textOf(body['tools']),
    lastUserText: textOfContent(items.findLast((item) => item['role'] === 'user')?.['content']),
    call: callFor(
      body,
      asList(body['tools'])
        .map(asObject)
        .filter((tool) => tool['type'] === 'function'),
      items.at(-1)?.['type'] === 'function_call_output',
    ),
    outputCap: asCount(body['max_output_tokens']),
    choices: 1,
    answerSchema: schemaOf(format, format['schema']),
    reasons: thinks(body, asText(asObject(body['reasoning'])['effort'])),
  };
}

function common(body: JsonObject, bodyBytes: number) {
  const model = asText(body['model']);
  return { body, bodyBytes, model, trigger: triggerOf(model), stream: body['stream'] === true };
}

function callFor(body: JsonObject, functions: readonly JsonObject[], answered: boolean): FunctionTool | null {
  if (answered) return null;
  const tools = functions.filter((tool) => asText(tool['name']) !== '').map(asTool);
  if (triggerOf(asText(body['model'])) === 'tools') return tools[0] ?? DEFAULT_TOOL;
  const choice = body['tool_choice'];
  if (choice === 'required') return tools[0] ?? null;
  const named = asObject(choice);
  const name = asText(asObject(named['function'])['name']) || asText(named['name']);
  if (name !== '') return tools.find((tool) => tool.name === name) ?? null;
  const allowed = 'allowed_tools' in named ? asObject(named['allowed_tools']) : named;
  return allowed['mode'] === 'required' ? (tools[0] ?? null) : null;
}

function asTool(tool: JsonObject): FunctionTool {
  return { name: asText(tool['name']), parameters: tool['parameters'] ?? { type: 'object' } };
}

function schemaOf(format: JsonObject, schema: unknown): unknown {
  if (format['type'] === 'json_schema') return schema ?? {};
  return format['type'] === 'json_object' ? { type: 'object', properties: { answer: { const: 'simulated' } }, required: ['answer'] } : null;
}

function thinks(body: JsonObject, effort: string): boolean {
  return (effort !== '' && effort !== 'none') || /^(?:.*\/)?(?:o\d|gpt-5)/i.test(asText(body['model']));
}

function textOfMessage(message: JsonObject): string {
  return textOfContent(message['content']) + textOf(message['tool_calls']) + asText(message['arguments']) + asText(message['output']);
}

function textOfContent(content: unknown): string {
  if (typeof content === 'string') return content;
  return asList(content)
    .map((part) => asText(asObject(part)['text']))
    .join('');
}

function textOf(value: unknown): string {
  return value === undefined || value === null ? '' : JSON.stringify(value);
}
