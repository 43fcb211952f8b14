import { describe, expect, test } from 'bun:test';
import SwaggerParser from '@apidevtools/swagger-parser';
import { Elysia, type AnyElysia } from 'elysia';
import { REASONS } from '../../src/domain/errors.ts';
import { operatorDetail, publicDetail } from '../../src/http/detail.ts';
import { openapiDocument } from '../../src/http/openapi.ts';
import { DecisionQuery, ProjectInput, ProjectList } from '../../src/http/schemas/operator.ts';
import { documentedApp } from './routes.ts';

interface Loose {
  readonly [name: string]: Loose;
}

/** The public contract as its owner wrote it: what the served document must keep. */
const CONTRACT = {
  openapi: '3.1.0',
  operation: {
    operationId: 'create-chat-completion',
    summary: 'Create a chat completion',
    tags: ['subpackage_gateway'],
  },
  answers: {
    '200': ['Provider response returned through Panicly.', 'ChatCompletionResponse'],
    '401': ['Missing or invalid Panicly API key.', 'ErrorResponse'],
    '402': ['Workspace has no remaining included or credit-backed capacity.', 'ErrorResponse'],
    '403': ['Panicly policy blocked the request before provider forwarding.', 'ErrorResponse'],
  },
  request: 'ChatCompletionRequest',
  schemas: {
    ChatCompletionRequestMessagesItems: { role: '$ref', content: 'string' },
    ChatCompletionRequest: { model: 'string', messages: 'array', max_tokens: 'integer', temperature: 'number' },
    ChatCompletionResponse: { id: 'string', object: 'string', created: 'integer', model: 'string', choices: 'array' },
    ErrorResponseError: { type: 'string', reason: 'string', message: 'string' },
    ErrorResponse: { error: '$ref' },
  },
  roles: ['system', 'user', 'assistant', 'tool'],
} as const;

const document = (await openapiDocument(documentedApp())) as unknown as Loose;
const chat = document['paths']!['/v1/chat/completions']!['post']!;

describe('the served document', () => {
  test('is valid for an independent validator', async () => {
    const valid = await SwaggerParser.validate(structuredClone(document) as never);
    expect(Object.keys(valid.paths ?? {})).toContain('/v1/chat/completions');
  });

  test('keeps the operation of the contract', () => {
    expect(document['openapi'] as unknown).toBe(CONTRACT.openapi);
    expect(chat as unknown).toMatchObject(CONTRACT.operation);
    expect(schemaOf(chat['requestBody']!)).toBe(CONTRACT.request);
    for (const [status, [description, schema]] of Object.entries(CONTRACT.answers)) {
      const answer = chat['responses']![status]!;
      expect(answer['description'] as unknown).toBe(description);
      expect(schemaOf(answer)).toBe(schema);
    }
  });

  test.each(Object.entries(CONTRACT.schemas))('keeps the schema %s', (name, properties) => {
    const schema = document['components']!['schemas']![name]!;
    expect(schema['title'] as unknown).toBe(name);
    expect(schema['type'] as unknown).toBe('object');
    for (const [property, type] of Object.entries(properties)) expect(typesOf(schema['properties']![property]!)).toContain(type);
  });

  test('keeps the roles of the contract', () => {
    const roles = document['components']!['schemas']!['ChatCompletionRequestMessagesItemsRole']!;
    expect(roles['type'] as unknown).toBe('string');
    expect(roles['enum'] as unknown).toEqual(expect.arrayContaining([...CONTRACT.roles, 'developer']));
  });

  test('keeps what the contract requires', () => {
    const required = (name: string) => document['components']!['schemas']![name]!['required'] as unknown;
    expect(required('ChatCompletionRequest')).toEqual(['model', 'messages']);
    expect(required('ErrorResponseError')).toEqual(['type', 'message']);
  });

  test.each(['/v1/chat/completions', '/v1/responses', '/v1/embeddings'])('documents every error of %s', (path) => {
    const answers = document['paths']![path]!['post']!['responses']!;
    const statuses = new Set(
      Object.values(REASONS)
        .map((facts) => facts.status)
        .filter((status) => status !== 409),
    );
    expect(Object.keys(answers)).toEqual(['200', ...[...statuses].sort((a, b) => a - b).map(String)]);
  });

  test('documents streams, headers, and both ways to send a key', () => {
    for (const path of ['/v1/chat/completions', '/v1/responses'])
      expect(Object.keys(document['paths']![path]!['post']!['responses']!['200']!['content']!)).toContain('text/event-stream');
    expect(Object.keys(chat['responses']!['200']!['headers']!)).toContain('x-panicly-cost-hold-usd');
    expect(chat['security'] as unknown).toEqual([{ projectKey: [] }, { projectKeyHeader: [] }]);
    const schemes = document['components']!['securitySchemes']! as unknown;
    expect(schemes).toMatchObject({
      projectKey: { type: 'http', scheme: 'bearer' },
      projectKeyHeader: { in: 'header', name: 'x-panicly-key' },
    });
  });

  test('documents the routes for models, the one with a wildcard as a parameter', () => {
    const one = document['paths']!['/v1/models/{id}']!['get']! as unknown;
    expect(one).toMatchObject({ operationId: 'get-model', parameters: [{ name: 'id', in: 'path', required: true }] });
    expect(document['paths']!['/v1/models']!['get']!['operationId'] as unknown).toBe('list-models');
  });

  test('names every reason', () => {
    for (const reason of Object.keys(REASONS)) expect(document['info']!['description'] as unknown as string).toContain(`| ${reason} |`);
  });

  test('has one operation for each live route that is not hidden, and no other', async () => {
    const app: AnyElysia = new Elysia()
      .get('/v1/models', () => '', { detail: publicDetail.models })
      .get('/secret', () => '', { detail: { hide: true } });
    expect(Object.keys((await openapiDocument(app)).paths)).toEqual(['/v1/models']);
    app.get('/healthz', () => '');
    expect(Object.keys((await openapiDocument(app)).paths)).toEqual(['/v1/models', '/healthz']);
  });

  test('takes operator routes with their schemas', async () => {
    const detail = operatorDetail({ operationId: 'list-projects', summary: 'List projects', tag: 'operator', answer: ProjectList });
    const create = operatorDetail({
      operationId: 'create-project',
      summary: 'Make a project',
      tag: 'operator',
      request: ProjectInput,
      success: 201,
    });
    const app = new Elysia()
      .get('/admin/v1/projects', () => '', { detail, query: DecisionQuery })
      .post('/admin/v1/projects', () => '', { detail: create, body: ProjectInput });
    const built = await openapiDocument(app);
    await SwaggerParser.validate(structuredClone(built) as never);
    expect(Object.keys(built.components.schemas)).toEqual(expect.arrayContaining(['ProjectList', 'Project', 'ProjectInput']));
    const list = built.paths['/admin/v1/projects']!['get'] as unknown as Loose;
    expect((list['parameters'] as unknown as { name: string }[]).map((parameter) => parameter.name)).toContain('cursor');
  });

  test('leaves no trace of the schema library', () => {
    const text = JSON.stringify(document);
    expect(text).not.toContain('$id');
    expect(text).not.toContain('"const":"live"');
  });
});

function schemaOf(holder: Loose): string {
  return (holder['content']!['application/json']!['schema']!['$ref'] as unknown as string).replace('#/components/schemas/', '');
}

function typesOf(schema: Loose): unknown[] {
  if ('$ref' in schema) return ['$ref'];
  if ('anyOf' in schema) return (schema['anyOf'] as unknown as Loose[]).flatMap(typesOf);
  return [schema['type']].flat();
}
