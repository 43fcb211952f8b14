import type { FirstStartResult } from './operator/first-start.ts';

/** What a start prints. Secrets only when they were just made. */
export function greeting(url: string, dataDir: string, made: FirstStartResult | null): string {
  const lines = [`Panicly listens on ${url}`, `  API documents  ${url}/docs`, `  data           ${dataDir}`];
  return `${[...lines, ...(made === null ? [] : firstWords(url, made))].join('\n')}\n`;
}

function firstWords(url: string, made: FirstStartResult): string[] {
  return [
    '',
    'This is the first start. Keep these: they are shown only now.',
    `  live key        ${made.liveKey}`,
    `  test key        ${made.testKey}`,
    `  operator token  ${made.operatorToken}`,
    '',
    made.providers.length === 0
      ? 'No provider is connected yet: panicly providers add --kind openai --api-key-env OPENAI_API_KEY'
      : `Provider keys were found in the environment and connected: ${made.providers.join(', ')}`,
    '',
    'Try it now. The test key never spends; the built-in simulator answers:',
    '',
    `curl ${url}/v1/chat/completions -H 'authorization: Bearer ${made.testKey}' -H 'content-type: application/json' -d '{"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Say hello."}]}'`,
  ];
}
