import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import OpenAI from 'openai';
import { rejection, serveSimulator } from './serve.ts';

let server: ReturnType<typeof serveSimulator>;
let client: OpenAI;

beforeAll(() => {
  server = serveSimulator();
  client = new OpenAI({ apiKey: 'pk_test_x', baseURL: `http://127.0.0.1:${server.port}/v1`, maxRetries: 0 });
});
afterAll(() => server.stop(true));

const user = (content: string) => [{ role: 'user' as const, content }];
const weather = {
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 3 }, unit: { enum: ['celsius', 'fahrenheit'] } },
  required: ['city', 'days', 'unit'],
  additionalProperties: false,
};

describe('chat', () => {
  test('answers with text and usage', async () => {
    const made = await client.chat.completions.create({ model: 'gpt-4.1-mini', messages: user('Hello there') });
    expect(made.id).toMatch(/^chatcmpl-\w{29}$/);
    expect(made.choices[0]!.message.content).toContain('Hello there');
    expect(made.choices[0]!.finish_reason).toBe('stop');
    expect(made.usage!.total_tokens).toBe(made.usage!.prompt_tokens + made.usage!.completion_tokens);
    expect(made.usage!.prompt_tokens).toBe(Math.ceil('Hello there'.length / 4));
  });

  test('the stream says the same as the whole answer', async () => {
    const whole = await client.chat.completions.create({ model: 'm', messages: user('same') });
    const runner = client.chat.completions.stream({ model: 'm', messages: user('same'), stream_options: { include_usage: true } });
    const final = await runner.finalChatCompletion();
    expect(final.choices[0]!.message.content).toBe(whole.choices[0]!.message.content);
    expect(final.usage).toEqual(whole.usage);
  });

  test('n choices', async () => {
    const whole = await client.chat.completions.create({ model: 'm', messages: user('x'), n: 3 });
    expect(whole.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    const final = await client.chat.completions.stream({ model: 'm', messages: user('x'), n: 3 }).finalChatCompletion();
    expect(final.choices).toHaveLength(3);
    const one = await client.chat.completions.create({ model: 'm', messages: user('x') });
    expect(whole.usage!.completion_tokens).toBe(3 * one.usage!.completion_tokens);
  });

  test.each([false, true])('the cap cuts, stream %p', async (stream) => {
    const body = { model: 'o4-mini', messages: user('x'), max_completion_tokens: 70 };
    const expected = { completion_tokens: 70, completion_tokens_details: { reasoning_tokens: 64 } };
    if (!stream) {
      const made = await client.chat.completions.create(body);
      expect(made).toMatchObject({ choices: [{ finish_reason: 'length' }], usage: expected });
      return;
    }
    const chunks = await Array.fromAsync(
      await client.chat.completions.create({ ...body, stream: true, stream_options: { include_usage: true } }),
    );
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('length');
    expect(chunks.at(-1)!.usage).toMatchObject(expected);
  });

  test('a JSON schema is obeyed', async () => {
    const response_format = { type: 'json_schema' as const, json_schema: { name: 'w', strict: true, schema: weather } };
    const made = await client.chat.completions.create({ model: 'm', messages: user('x'), response_format });
    expect(JSON.parse(made.choices[0]!.message.content!)).toEqual({ city: 'example', days: 3, unit: 'celsius' });
    const object = await client.chat.completions.create({ model: 'm', messages: user('x'), response_format: { type: 'json_object' } });
    expect(JSON.parse(object.choices[0]!.message.content!)).toEqual({ answer: 'simulated' });
  });

  const tools = [{ type: 'function' as const, function: { name: 'forecast', parameters: weather } }];
  test.each(['required', { type: 'function', function: { name: 'forecast' } }] as const)(
    'tool choice %j calls the tool',
    async (tool_choice) => {
      const made = await client.chat.completions.create({ model: 'm', messages: user('x'), tools, tool_choice });
      const call = made.choices[0]!.message.tool_calls![0]!;
      expect(made.choices[0]!.finish_reason).toBe('tool_calls');
      expect(call.id).toMatch(/^call_/);
      expect(call.type === 'function' && JSON.parse(call.function.arguments)).toEqual({ city: 'example', days: 3, unit: 'celsius' });
    },
  );

  test('tools without a demand answer with text', async () => {
    const made = await client.chat.completions.create({ model: 'm', messages: user('x'), tools });
    expect(made.choices[0]!.message.tool_calls).toBeUndefined();
  });

  test.each([false, true])('runTools calls and then answers, stream %p', async (stream) => {
    const calls: unknown[] = [];
    const forecast = (args: unknown): string => {
      calls.push(args);
      return 'sunny';
    };
    const run = {
      model: 'sim-tools',
      messages: user('weather?'),
      tools: [
        {
          type: 'function' as const,
          function: { name: 'forecast', description: '', parse: JSON.parse, function: forecast, parameters: weather },
        },
      ],
    };
    const runner = stream ? client.chat.completions.runTools({ ...run, stream: true }) : client.chat.completions.runTools(run);
    expect(await runner.finalContent()).toContain('weather?');
    expect(calls).toEqual([{ city: 'example', days: 3, unit: 'celsius' }]);
  });

  test('usage comes only when asked for', async () => {
    const chunksWith = async (include_usage: boolean | null) => {
      const options = include_usage === null ? {} : { stream_options: { include_usage } };
      const stream = await client.chat.completions.create({ model: 'm', messages: user('x'), stream: true, ...options });
      return await Array.fromAsync(stream);
    };
    for (const silent of [await chunksWith(null), await chunksWith(false)]) expect(silent.every((chunk) => !('usage' in chunk))).toBe(true);
    const loud = await chunksWith(true);
    expect(loud.slice(0, -1).every((chunk) => chunk.usage === null && chunk.choices.length === 1)).toBe(true);
    expect(loud.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 1 } });
  });
});

describe('responses', () => {
  test('answers with text', async () => {
    const made = await client.responses.create({ model: 'm', input: 'Hello there' });
    expect(made.id).toMatch(/^resp_[0-9a-f]{50}$/);
    expect(made.status).toBe('completed');
    expect(made.output_text).toContain('Hello there');
    expect(made.usage).toMatchObject({
      input_tokens: 3,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens_details: { reasoning_tokens: 0 },
    });
  });

  test('streams every event in order', async () => {
    const events = await Array.fromAsync(await client.responses.create({ model: 'o4-mini', input: 'x', stream: true }));
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index));
    const types = events.map((event) => event.type).filter((type, index, all) => type !== all[index - 1]);
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
  });

  test('the stream helper puts the same response together', async () => {
    const final = await client.responses.stream({ model: 'm', input: [{ role: 'user', content: 'same' }] }).finalResponse();
    expect(final.output_text).toBe((await client.responses.create({ model: 'm', input: 'same' })).output_text);
  });

  const tools = [{ type: 'function' as const, name: 'forecast', parameters: weather, strict: true }];
  test.each([false, true])('a function call and the text after it, stream %p', async (stream) => {
    const first = { model: 'm', input: 'weather?', tools, tool_choice: 'required' as const };
    const made = stream ? await client.responses.stream(first).finalResponse() : await client.responses.create(first);
    const call = made.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))[0]!;
    expect(JSON.parse(call.arguments)).toEqual({ city: 'example', days: 3, unit: 'celsius' });
    const { name, arguments: args, call_id } = call;
    const input = [
      { role: 'user' as const, content: 'weather?' },
      { type: 'function_call' as const, name, arguments: args, call_id },
      { type: 'function_call_output' as const, call_id, output: 'sunny' },
    ];
    expect((await client.responses.create({ ...first, input })).output_text).toContain('weather?');
  });

  test.each([false, true])('the cap makes it incomplete, stream %p', async (stream) => {
    const body = { model: 'm', input: 'x', max_output_tokens: 4 };
    const made = stream
      ? (await Array.fromAsync(await client.responses.create({ ...body, stream: true }))).flatMap((event) =>
          event.type === 'response.incomplete' ? [event.response] : [],
        )[0]
      : await client.responses.create(body);
    expect(made).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, usage: { output_tokens: 4 } });
  });

  test('a text format is obeyed', async () => {
    const text = { format: { type: 'json_schema' as const, name: 'w', schema: weather } };
    const made = await client.responses.create({ model: 'm', input: 'x', text });
    expect(JSON.parse(made.output_text)).toEqual({ city: 'example', days: 3, unit: 'celsius' });
  });
});

describe('embeddings and models', () => {
  test('unit vectors, the same for the same text, the same in both encodings', async () => {
    // The SDK asks for base64 when nothing is said and decodes it.
    const packed = await client.embeddings.create({ model: 'text-embedding-3-small', input: ['one', 'two', 'one'] });
    const floats = await client.embeddings.create({
      model: 'text-embedding-3-small',
      input: ['one', 'two', 'one'],
      encoding_format: 'float',
    });
    const [first, second, third] = floats.data.map(({ embedding }) => embedding);
    expect(first).toHaveLength(1_536);
    expect(first!).toEqual(third!);
    expect(first!).not.toEqual(second!);
    expect(Array.from(packed.data[0]!.embedding)).toEqual(first!);
    expect(Math.hypot(...first!)).toBeCloseTo(1, 5);
    expect(floats.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
  });

  const shapes: readonly [string, string | number[] | number[][], number, number][] = [
    ['one text', 'hello world', 1, 3],
    ['token ids', [1, 2, 3, 4, 5], 1, 5],
    ['lists of token ids', [[1, 2], [3]], 2, 3],
  ];
  test.each(shapes)('%s', async (_, input, items, tokens) => {
    const made = await client.embeddings.create({ model: 'm-large', input, dimensions: 8 });
    expect(made.data.map(({ embedding }) => embedding.length)).toEqual(Array.from({ length: items }, () => 8));
    expect(made.usage.prompt_tokens).toBe(tokens);
  });

  test('models are listed', async () => {
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids).toContain('sim-cut');
  });
});

describe('failures reach the SDK as its own errors', () => {
  test('429 and 500 on every route', async () => {
    for (const [model, status] of [
      ['sim-error-429', 429],
      ['sim-error-500', 500],
    ] as const) {
      const calls = [
        client.chat.completions.create({ model, messages: user('x') }),
        client.chat.completions.create({ model, messages: user('x'), stream: true }),
        client.responses.create({ model, input: 'x' }),
        client.embeddings.create({ model, input: 'x' }),
      ];
      const errors = await Promise.all(calls.map((call) => rejection(call)));
      expect(errors).toMatchObject(errors.map(() => ({ status })));
    }
  });

  test('a cut stream throws', async () => {
    const read = async () =>
      await Array.fromAsync(await client.chat.completions.create({ model: 'sim-cut', messages: user('x'), stream: true }));
    expect(await rejection(read())).toBeInstanceOf(Error);
  });
});
