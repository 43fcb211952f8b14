import { chatStream, chatCompletion, embeddingList, type Behaviour, type SeenRequest } from './mock-provider.ts';

/** An answer that a client got: which request, and which decision it names. */
export interface Answered {
  readonly marker: string;
  readonly decisionId: string;
  readonly status: number;
}

/** What load to make. */
export interface LoadOptions {
  readonly url: string;
  readonly key: string;
  readonly workers: number;
  /** Goes into the marker of each request, which stands in its `user` and so in its ledger row. */
  readonly label: string;
}

const KINDS = ['json', 'json', 'json', 'stream', 'stream', 'aborted stream', 'aborted json', 'embeddings'] as const;
const PAUSE_MS = 4;

/** Clients that send a mixture of requests, some of which they give up, until they are told to end. */
export class MixedLoad {
  readonly answered: Answered[] = [];
  sent = 0;
  #ended = false;
  readonly #workers: Promise<void>[];

  constructor(readonly options: LoadOptions) {
    this.#workers = Array.from({ length: options.workers }, () => this.#work());
  }

  /** Sends nothing more, and resolves when every client has seen the end of its last request. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    while (!this.#ended) {
      await this.#request(KINDS[Math.floor(Math.random() * KINDS.length)]!).catch(() => undefined);
      await Bun.sleep(Math.random() * PAUSE_MS);
    }
  }

  async #request(kind: (typeof KINDS)[number]): Promise<void> {
    const { url, key, label } = this.options;
    const marker = `${label}-${this.sent++}`;
    const abort = new AbortController();
    if (kind.startsWith('aborted')) setTimeout(() => abort.abort(), Math.random() * 30);
    const response = await fetch(url + (kind === 'embeddings' ? '/v1/embeddings' : '/v1/chat/completions'), {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(bodyOf(kind, marker)),
      signal: abort.signal,
    });
    const decisionId = response.headers.get('x-panicly-decision-id');
    if (decisionId !== null) this.answered.push({ marker, decisionId, status: response.status });
    await response.bytes();
  }
}

function bodyOf(kind: (typeof KINDS)[number], marker: string): object {
  if (kind === 'embeddings') return { model: 'text-embedding-3-small', input: `oak ${marker}`, user: marker };
  const messages = [{ role: 'user', content: `Name a tree for ${marker}.` }];
  return { model: 'gpt-4.1-mini', messages, user: marker, max_tokens: 50, ...(kind.endsWith('stream') ? { stream: true } : {}) };
}

/** The marker of a request that arrived at the provider. */
export function markerOf(request: SeenRequest): string {
  return String((request.json() as { readonly user?: unknown }).user);
}

/** A provider for this load: streams take about 30 ms, every tenth answer breaks off or is an error. */
export function mixedProvider(request: SeenRequest): Behaviour {
  const body = request.json() as { readonly stream?: boolean };
  const luck = Math.random();
  if (luck < 0.03) return { kind: 'reset' };
  if (request.path.endsWith('/embeddings')) return embeddingList(1);
  if (body.stream === true) return chatStream(12, true, { intervalMs: 2, cutAfter: luck < 0.1 ? 6 : null });
  return chatCompletion('An oak.', { headDelayMs: luck < 0.5 ? 5 : 0, status: luck < 0.1 ? 500 : 200 });
}
