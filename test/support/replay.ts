import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ProviderKind } from '../../src/domain/project.ts';
import { OPEN_POLICY, startPanicly, type Panicly } from './binary.ts';
import { compressed, replay, startMockProvider, type Answer, type MockProvider, type SeenRequest } from './mock-provider.ts';
import { differences } from './replay-differences.ts';

/** One exchange with a provider, as it was seen on the network. */
export interface Recording {
  readonly name: string;
  readonly route: 'chat/completions' | 'responses' | 'embeddings';
  readonly host: string;
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** The request body. */
  readonly sent: string;
  /** The answer's bytes, not compressed. */
  readonly body: Uint8Array;
  /** What the provider says instead when it is asked for usage and the client had not asked; absent when it says the same. */
  readonly bodyWithUsage?: Uint8Array;
}

interface Line {
  readonly name?: string;
  readonly repo?: string;
  readonly i?: number;
  readonly route: Recording['route'];
  readonly host: string;
  readonly status: number;
  readonly headers: Recording['headers'];
  readonly req: string | object;
  /** The answer as text, or in base64. */
  readonly body?: string;
  readonly body_b64?: string;
  readonly body_with_usage?: string;
}

/** Reads one recording a line, gzipped when the name says so. */
export function readRecordings(path: string): Recording[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, index) => recordingOf(JSON.parse(line) as Line, index));
}

function recordingOf(line: Line, index: number): Recording {
  return {
    name: line.name ?? `${index} ${line.repo ?? ''} ${line.host} ${line.route}`,
    route: line.route,
    host: line.host,
    status: line.status,
    headers: line.headers,
    sent: typeof line.req === 'string' ? line.req : JSON.stringify(line.req),
    body: line.body === undefined ? Buffer.from(line.body_b64 ?? '', 'base64') : Buffer.from(line.body),
    ...(line.body_with_usage === undefined ? {} : { bodyWithUsage: Buffer.from(line.body_with_usage) }),
  };
}

/** How the provider's bytes arrive. */
export const ARRIVALS = ['event', '7 bytes', 'gzip'] as const;
export type Arrival = (typeof ARRIVALS)[number];

/** What came of one recording, one way. */
export interface Played {
  readonly recording: Recording;
  readonly arrival: Arrival;
  /** The decision in the answer's header, or null. */
  readonly decisionId: string | null;
  readonly status: number;
  /** Why the answer is not the provider's, as it has to be; null where it has to be. */
  readonly exception: string | null;
  /** What is not as it should be. Empty when all is well. */
  readonly wrong: readonly string[];
}

/** Why a recording cannot come through as it was, or null. */
export function allowedException({ status, sent }: Recording): string | null {
  const body = parsed(sent);
  if (body === undefined) return 'the recording cut the request body off';
  if ((body as { readonly background?: unknown }).background === true) return 'background: true is refused: its usage would never pass us';
  return status === 401 ? "a provider's 401 is about our key, not the client's" : null;
}

const EXCEPTION_STATUS = new Set([400, 502]);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const KINDS: Readonly<Record<string, ProviderKind>> = {
  'api.openai.com': 'openai',
  'openrouter.ai': 'openrouter',
  'api.anthropic.com': 'anthropic',
  'api.groq.com': 'groq',
  'api.mistral.ai': 'mistral',
  'api.deepseek.com': 'deepseek',
  'api.x.ai': 'xai',
};

/** Nothing limits money, and nothing else stands in the way. */
const NO_LIMITS = { ...OPEN_POLICY, pricing: { allow_stored_references: true } };

/** Our key at each provider: nothing else may arrive there. */
function providerKey(host: string): string {
  return `sk-ours-${slug(host)}`;
}

function slug(host: string): string {
  return host.replaceAll(/[^a-z0-9]+/gi, '-') || 'nameless';
}

/** A gateway with a connection of the right kind for each host, in front of one mock provider that plays them all. */
export class ReplayStage {
  #current: { readonly recording: Recording; readonly arrival: Arrival } | null = null;
  readonly #keys = new Map<string, string>();

  private constructor(
    readonly provider: MockProvider,
    readonly panicly: Panicly,
  ) {}

  /** Starts both. Nothing in the policy limits money. */
  static async open(hosts: Iterable<string>): Promise<ReplayStage> {
    const stage = new ReplayStage(await startMockProvider(), await startPanicly());
    stage.provider.behave((request) => stage.#answer(request));
    for (const host of new Set(hosts)) await stage.#addHost(host);
    return stage;
  }

  /** Plays one recording through the gateway. */
  async play(recording: Recording, arrival: Arrival): Promise<Played> {
    this.#current = { recording, arrival };
    this.provider.reset();
    const key = this.#keys.get(recording.host)!;
    const response = await fetch(`${this.panicly.url}/v1/${recording.route}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: recording.sent,
      decompress: false,
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    const exception = allowedException(recording);
    const wrong = exception === null ? this.#compare(recording, arrival, response, bytes, key) : refusedWrongly(response, recording);
    const decisionId = response.headers.get('x-panicly-decision-id');
    return { recording, arrival, decisionId, status: response.status, exception, wrong };
  }

  /** The ledger's file. */
  get ledger(): string {
    return join(this.panicly.dataDir, 'panicly.db');
  }

  /** Stops both; the ledger is whole afterwards. */
  async close(): Promise<void> {
    await this.panicly.stop();
    await this.provider.close();
  }

  async #addHost(host: string): Promise<void> {
    const name = slug(host);
    const { id } = await this.panicly.ask<{ id: string }>('/projects', { method: 'POST', body: { name } });
    const path = `/projects/${id}`;
    await this.panicly.ask(`${path}/policy`, { method: 'PUT', body: NO_LIMITS });
    const connection = {
      name,
      kind: KINDS[host] ?? 'custom',
      base_url: `http://127.0.0.1:${this.provider.port}/${name}/v1`,
      api_key: providerKey(host),
      models: ['*'],
    };
    await this.panicly.ask(`${path}/providers`, { method: 'POST', body: connection });
    const { key } = await this.panicly.ask<{ key: string }>(`${path}/keys`, { method: 'POST', body: { name: 'replay' } });
    this.#keys.set(host, key);
  }

  #answer(request: SeenRequest): Answer {
    const { recording, arrival } = this.#current!;
    return answerOf(recording, arrival, bodyFor(recording, request));
  }

  #compare(recording: Recording, arrival: Arrival, response: Response, bytes: Buffer, projectKey: string): string[] {
    const wrong = differences({
      recording,
      seen: this.provider.seen,
      projectKey,
      authorization: `Bearer ${providerKey(recording.host)}`,
    });
    const encoding = response.headers.get('content-encoding');
    const expected = encoding === 'gzip' ? gzipSync(recording.body) : recording.body;
    if (arrival !== 'gzip' && encoding !== null) wrong.push(`content-encoding is ${encoding}`);
    if (response.status !== recording.status)
      wrong.push(`status ${response.status}, not ${recording.status}: ${bytes.toString('utf8', 0, 300)}`);
    else if (!bytes.equals(expected))
      wrong.push(`the body differs at byte ${firstDifference(bytes, expected)} (${bytes.length} for ${expected.length})`);
    if (response.headers.get('x-panicly-decision-id') === null) wrong.push('no decision id');
    return wrong;
  }
}

/** A provider that was asked for usage may say more than the client asked for. */
function bodyFor(recording: Recording, request: SeenRequest): Uint8Array {
  if (recording.bodyWithUsage === undefined) return recording.body;
  const { stream_options: options } = request.json() as { readonly stream_options?: { readonly include_usage?: boolean } };
  return options?.include_usage === true ? recording.bodyWithUsage : recording.body;
}

function answerOf(recording: Recording, arrival: Arrival, body: Uint8Array): Answer {
  const headers = recording.headers.filter(([name]) => name.toLowerCase() !== 'content-encoding');
  const { status } = recording;
  if (arrival === 'gzip') return compressed(replay({ status, headers, body }, 'whole'), 'gzip', { bytes: 1_000 });
  return replay({ status, headers, body }, arrival === 'event' ? 'event' : { bytes: 7 });
}

function refusedWrongly({ status }: Response, recording: Recording): string[] {
  const expected = recording.status === 401 ? 502 : 400;
  return EXCEPTION_STATUS.has(status) && status === expected ? [] : [`an exception answered ${status}, not ${expected}`];
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return index;
  return length;
}
