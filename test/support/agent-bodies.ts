/**
 * What today's coding agents send, by shape: the members, their types and their sizes were seen on the wire of the released
 * programs in November 2026. All words are ours.
 */

/** One agent at one moment of its task. */
export interface AgentBody {
  readonly name: string;
  readonly route: 'chat' | 'responses';
  readonly body: Readonly<Record<string, unknown>>;
}

/** About `bytes` bytes of prose. */
function prose(bytes: number): string {
  return 'Work in small steps, read before you write, and say what you did. '.repeat(Math.ceil(bytes / 66)).slice(0, bytes);
}

const PARAMETERS = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    command: { type: 'string', description: prose(120) },
    path: { type: 'string', description: prose(60) },
    limit: { type: 'integer', minimum: 1, exclusiveMaximum: 9007199254740991, description: prose(40) },
    mode: { type: 'string', enum: ['read', 'write'] },
    edits: {
      type: 'array',
      items: { type: 'object', properties: { from: { type: 'string' }, to: { type: 'string' } }, required: ['from'] },
    },
  },
  required: ['command'],
  additionalProperties: false,
} as const;

const chatTool = (name: string, bytes: number) => ({
  type: 'function',
  function: { name, description: prose(bytes), parameters: PARAMETERS },
});
const flatTool = (name: string, bytes: number) => ({
  type: 'function',
  name,
  description: prose(bytes),
  strict: false,
  parameters: PARAMETERS,
});

/** Turns of a chat in which each tool call has other arguments. */
function chatTurns(count: number, content: null | '', asParts: boolean): object[] {
  return Array.from({ length: count }, (_, index) => [
    {
      role: 'assistant',
      content,
      tool_calls: [
        { id: `call_${index}`, type: 'function', function: { name: 'bash', arguments: JSON.stringify({ command: `ls ${index}` }) } },
      ],
    },
    { role: 'tool', tool_call_id: `call_${index}`, content: asParts ? [{ type: 'text', text: `a${index}.txt` }] : `a${index}.txt\n` },
  ]).flat();
}

function qwenCode(turns: number): AgentBody {
  const names =
    'tool_search agent task_stop send_message skill list_directory read_file grep_search glob edit write_file run_shell_command todo_write web_fetch monitor';
  return {
    name: `qwen-code, ${turns} tool calls`,
    route: 'chat',
    body: {
      model: 'gpt-5.1',
      messages: [
        { role: 'system', content: prose(38_800) },
        { role: 'user', content: [{ type: 'text', text: prose(375) }] },
        { role: 'assistant', content: prose(31) },
        { role: 'user', content: [{ type: 'text', text: 'name the files here' }] },
        ...chatTurns(turns, null, true),
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 8_000,
      tools: names.split(' ').map((name) => chatTool(name, 1_800)),
    },
  };
}

function opencode(turns: number): AgentBody {
  return {
    name: `opencode, ${turns} tool calls`,
    route: 'chat',
    body: {
      model: 'gpt-5.1',
      max_tokens: 32_000,
      reasoning_effort: 'medium',
      messages: [
        { role: 'system', content: prose(10_300) },
        { role: 'user', content: '"name the files here"' },
        ...chatTurns(turns, '', false),
      ],
      tools: 'apply_patch bash glob grep read skill task todowrite webfetch'.split(' ').map((name) => chatTool(name, 1_500)),
      tool_choice: 'auto',
      stream: true,
      stream_options: { include_usage: true },
    },
  };
}

/** What opencode asks beside the task: a title for the session, without tools. */
const OPENCODE_TITLE: AgentBody = {
  name: 'opencode, the title of a session',
  route: 'chat',
  body: {
    model: 'gpt-5.1',
    max_tokens: 32_000,
    messages: [
      { role: 'system', content: prose(2_100) },
      { role: 'user', content: 'A title for this conversation, please:\n' },
      { role: 'user', content: '"name the files here"' },
    ],
    stream: true,
    stream_options: { include_usage: true },
  },
};

const item = (id: string, role: string, ...bytes: readonly number[]) => ({
  type: 'message',
  id: `msg_${id}`,
  role,
  content: bytes.map((size) => ({ type: 'input_text', text: prose(size) })),
});

function codexTurns(count: number, withReasoning: boolean): object[] {
  return Array.from({ length: count }, (_, index) => [
    ...(withReasoning ? [{ type: 'reasoning', id: `rs_${index}`, summary: [], encrypted_content: 'gAAA'.repeat(300) }] : []),
    {
      type: 'function_call',
      id: `fc_${index}`,
      status: 'completed',
      name: 'exec_command',
      arguments: JSON.stringify({ cmd: `ls ${index}` }),
      call_id: `call_${index}`,
    },
    {
      type: 'function_call_output',
      id: `out_${index}`,
      call_id: `call_${index}`,
      output: `Chunk ID: 7\nExit code: 0\nOutput:\na${index}.txt\n`,
    },
  ]).flat();
}

function codex(turns: number, withReasoning: boolean): AgentBody {
  const ids = Object.fromEntries(
    ['root_turn_id', 'turn_id', 'session_id', 'thread_id', 'x-codex-installation-id', 'x-codex-window-id'].map((name) => [
      name,
      '01994e0a-0000-7000-8000-000000000000',
    ]),
  );
  return {
    name: `codex, ${turns} tool calls${withReasoning ? ' with reasoning' : ''}`,
    route: 'responses',
    body: {
      model: 'gpt-5.1',
      ...(withReasoning ? { instructions: prose(9_000) } : {}),
      input: [
        item('a', 'developer', 16_900),
        item('b', 'developer', 2_100, 340),
        item('c', 'user', 420),
        item('d', 'user', 20),
        ...codexTurns(turns, withReasoning),
      ],
      tools: [
        ...['exec_command', 'write_stdin', 'request_user_input', 'view_image'].map((name) => flatTool(name, 600)),
        {
          type: 'namespace',
          name: 'helpers',
          description: prose(43),
          tools: ['close_agent', 'resume_agent'].map((name) => flatTool(name, 300)),
        },
        ...['get_goal', 'create_goal', 'update_goal'].map((name) => flatTool(name, 200)),
        {
          type: 'custom',
          name: 'apply_patch',
          description: prose(200),
          format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
        },
        { type: 'web_search', external_web_access: false },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: true,
      reasoning: { effort: 'medium', summary: 'auto' },
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: '01994e0a-0000-7000-8000-000000000000',
      text: { verbosity: 'medium' },
      client_metadata: { ...ids, 'x-codex-turn-metadata': JSON.stringify({ note: prose(700) }) },
    },
  };
}

/** Every agent, at the beginning of its task and far into it. */
export const AGENT_BODIES: readonly AgentBody[] = [
  qwenCode(0),
  qwenCode(1),
  qwenCode(60),
  OPENCODE_TITLE,
  opencode(0),
  opencode(1),
  opencode(60),
  codex(0, false),
  codex(1, false),
  codex(60, true),
];
