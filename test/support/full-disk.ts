import { join } from 'node:path';
import { eventually, OPEN_POLICY, startPanicly, type Panicly } from './binary.ts';
import { killFindings } from './kill-rounds.ts';
import { markerOf, type Answered } from './mixed-load.ts';
import { chatCompletion, chatStream, startMockProvider, type MockProvider } from './mock-provider.ts';

/** One request: when, and what came of it. Times in milliseconds. */
interface Timed {
  readonly marker: string;
  readonly fromMs: number;
  readonly tookMs: number;
  readonly status: number;
  /** The reason of a refusal. */
  readonly reason: string | null;
}

/** What keeps a ledger from being written: a small disk that is filled, a lock, or anything else that can be taken away again. */
export interface Obstacle {
  /** The directory in which the data directory is made. */
  readonly path: string;
  /** How long it stays, milliseconds. */
  readonly holdMs?: number;
  fill(panicly: Panicly): void | Promise<void>;
  free(): void | Promise<void>;
}

/** What was seen while the disk was full, and after. */
export interface FullDiskReport {
  readonly refused: readonly Timed[];
  /** Requests answered by the provider between the first refusal and the moment when there was room again. */
  readonly answeredWhileFull: number;
  /** How long `/healthz` took, each time, while the disk was full. */
  readonly healthzMs: readonly number[];
  /** From the moment when there was room until a request was served again. */
  readonly healedMs: number;
  /** What must not be. Empty when all is well. */
  readonly findings: readonly string[];
}

const WORKERS = 6;
const FULL_MS = 1_500;
const STREAMS = 4;

/** Serves under load, puts the obstacle in the way, takes it away, and looks at everything that happened. */
export async function fullDisk(disk: Obstacle): Promise<FullDiskReport> {
  const provider = await startMockProvider({ script: (request) => answer(request.json() as { readonly stream?: boolean }) });
  const panicly = await startPanicly({ dataDir: join(disk.path, 'data') });
  try {
    await panicly.connect(provider);
    await panicly.policy(OPEN_POLICY);
    return await new Trial(disk, panicly, provider).run();
  } finally {
    await panicly.kill();
    await provider.close();
  }
}

function answer(body: { readonly stream?: boolean }): ReturnType<typeof chatCompletion> {
  // The streams begin before the disk is full and end while it is.
  return body.stream === true ? chatStream(40, true, { intervalMs: 20 }) : chatCompletion();
}

class Trial {
  readonly #timed: Timed[] = [];
  readonly #answered: Answered[] = [];
  #sent = 0;
  #ended = false;

  constructor(
    readonly disk: Obstacle,
    readonly panicly: Panicly,
    readonly provider: MockProvider,
  ) {}

  async run(): Promise<FullDiskReport> {
    const streams = Array.from({ length: STREAMS }, () => this.#request(true));
    await this.provider.arrived(STREAMS);
    const workers = Array.from({ length: WORKERS }, () => this.#work());
    await Bun.sleep(200);
    await this.disk.fill(this.panicly);
    const firstMs = await eventually('a request is refused', () => Promise.resolve(this.#firstRefusalMs()));
    const healthzMs = await this.#healthz(this.disk.holdMs ?? FULL_MS);
    await Promise.all(streams);
    const freedMs = performance.now();
    await this.disk.free();
    const healedMs = await this.#healed(freedMs);
    this.#ended = true;
    await Promise.all(workers);
    const refused = this.#timed.filter(({ status }) => status !== 200);
    const answeredWhileFull = this.#timed.filter(
      (one) => one.status === 200 && one.fromMs > firstMs && one.fromMs + one.tookMs < freedMs,
    ).length;
    return { refused, answeredWhileFull, healthzMs, healedMs, findings: await this.#findings(refused) };
  }

  async #findings(refused: readonly Timed[]): Promise<string[]> {
    const arrived = this.provider.seen.map(markerOf);
    const code = await this.panicly.stop();
    const sent = new Set(arrived);
    return [
      ...(code === 0 ? [] : [`the server ended with ${code}: ${this.panicly.stderr()}`]),
      ...refused.filter(({ marker }) => sent.has(marker)).map(({ marker }) => `${marker} was refused and forwarded all the same`),
      ...refused.filter(({ reason }) => reason !== 'ledger_unavailable').map(({ marker, reason }) => `${marker} was refused as ${reason}`),
      ...killFindings(join(this.panicly.dataDir, 'panicly.db'), { arrived, answered: this.#answered }),
    ];
  }

  async #work(): Promise<void> {
    while (!this.#ended) {
      await this.#request(false);
      await Bun.sleep(5);
    }
  }

  async #request(stream: boolean): Promise<void> {
    const marker = `full-${this.#sent++}`;
    const body = { model: 'mock-model', user: marker, messages: [{ role: 'user', content: marker }], stream };
    const fromMs = performance.now();
    const response = await this.panicly.post('/v1/chat/completions', this.panicly.liveKey, body);
    const tookMs = performance.now() - fromMs;
    const text = await response.text();
    const decisionId = response.headers.get('x-panicly-decision-id');
    if (decisionId !== null) this.#answered.push({ marker, decisionId, status: response.status });
    const reason = response.ok ? null : (JSON.parse(text) as { readonly error: { readonly reason: string } }).error.reason;
    this.#timed.push({ marker, fromMs, tookMs, status: response.status, reason });
  }

  #firstRefusalMs(): number | null {
    const first = this.#timed.find(({ status }) => status !== 200);
    return first === undefined ? null : first.fromMs + first.tookMs;
  }

  async #healthz(forMs: number): Promise<number[]> {
    const took: number[] = [];
    for (const untilMs = performance.now() + forMs; performance.now() < untilMs; await Bun.sleep(20)) {
      const fromMs = performance.now();
      const { ok } = await fetch(`${this.panicly.url}/healthz`);
      took.push(ok ? performance.now() - fromMs : Infinity);
    }
    return took;
  }

  async #healed(freedMs: number): Promise<number> {
    const served = () => this.#timed.find((one) => one.status === 200 && one.fromMs > freedMs);
    const first = await eventually('a request is served again', () => Promise.resolve(served() ?? null));
    await eventually('the server says that it is ready', async () => (await fetch(`${this.panicly.url}/readyz`)).ok);
    return first.fromMs + first.tookMs - freedMs;
  }
}
