import SwaggerParser from '@apidevtools/swagger-parser';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser } from 'playwright-core';
import { launchBrowser, openOffline } from '../support/browser.ts';
import { startPanicly, type Panicly } from '../support/binary.ts';

/** The API documents as the built program serves them. */

interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

/** What the public contract of the API promises, as its owner wrote it. */
const CONTRACT = {
  operation: { operationId: 'create-chat-completion', summary: 'Create a chat completion', tags: ['subpackage_gateway'] },
  statuses: ['200', '401', '402', '403'],
  schemas: [
    'ChatCompletionRequestMessagesItemsRole',
    'ChatCompletionRequestMessagesItems',
    'ChatCompletionRequest',
    'ChatCompletionResponse',
    'ErrorResponseError',
    'ErrorResponse',
  ],
} as const;

let server: Panicly;
let browser: Browser;
let document: Document;

beforeAll(async () => {
  [server, browser] = await Promise.all([startPanicly(), launchBrowser()]);
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
}, 60_000);
afterAll(async () => {
  await Promise.all([server?.kill(), browser?.close()]);
});

describe('/openapi.json', () => {
  test('is valid for an independent validator', async () => {
    const valid = await SwaggerParser.validate(structuredClone(document) as never);
    expect(Object.keys(valid.paths ?? {})).toContain('/v1/chat/completions');
    expect(document.openapi).toBe('3.1.0');
  });

  test('keeps the operation, the statuses and the schemas of the contract', () => {
    const operation = document.paths['/v1/chat/completions']!['post']!;
    expect(operation).toMatchObject(CONTRACT.operation);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining([...CONTRACT.statuses]));
    expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining([...CONTRACT.schemas]));
  });

  test('every operation has an id of its own and a summary', () => {
    const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(
      expect.arrayContaining([
        'create-chat-completion',
        'create-response',
        'create-embeddings',
        'list-models',
        'get-model',
        'list-decisions',
      ]),
    );
    expect(operations.filter(({ summary }) => !summary)).toEqual([]);
  });

  test('each documented route is there, and refuses who shows no key', async () => {
    const open = new Set(['/healthz', '/readyz']);
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const method of Object.keys(operations)) {
        const response = await fetch(server.url + path.replaceAll(/\{\w+\}/g, 'x'), { method: method.toUpperCase() });
        expect([method, path, response.status]).toEqual([method, path, open.has(path) ? 200 : 401]);
      }
    }
  });
});

test('/docs renders in a browser that reaches nothing but this server, and can try a request', async () => {
  const visit = await openOffline(browser, `${server.url}/docs`, '.opblock-summary-path');
  expect(visit.outside).toEqual([]);
  expect(visit.problems).toEqual([]);
  const shown = (await visit.page.locator('.opblock-summary-path').allInnerTexts()).map((path) => path.replaceAll('\u200b', ''));
  expect(new Set(shown)).toEqual(new Set(Object.keys(document.paths)));
  const answer = await visit.page.evaluate(async () => (await fetch('/healthz')).status);
  expect(answer).toBe(200);
  await visit.page.close();
}, 60_000);
