import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import models from '../../db/models.json';
import { systemClock } from '../../src/clock.ts';
import type { Environment, Route } from '../../src/domain/candidate.ts';
import type { Settlement } from '../../src/domain/decision.ts';
import { hashSecret, newSecret, shownPrefix } from '../../src/domain/key.ts';
import type { ApiKey, ProviderKind } from '../../src/domain/project.ts';
import { BodyBudget } from '../../src/gateway/body-budget.ts';
import { Directory, type ConnectionEntry, type ProjectEntry } from '../../src/gateway/directory.ts';
import type { Gateway, PathLimits } from '../../src/gateway/gateway.ts';
import { InFlight } from '../../src/gateway/in-flight.ts';
import type { OriginRules } from '../../src/gateway/origin.ts';
import { serve } from '../../src/gateway/pipeline.ts';
import { Refused } from '../../src/gateway/refused.ts';
import { openLedger, type LedgerOptions, type OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { Catalogue } from '../../src/pricing/catalogue.ts';
import { simulatorUpstream } from '../../src/upstream/simulator/simulator.ts';
import { FakeUpstream } from './fake-upstream.ts';
import { compiled, NOTHING } from './policies.ts';
import { TEST_SEAL_KEYS } from './seal-keys.ts';

export * from './fake-upstream.ts';

const CATALOGUE = Catalogue.parse(models);

/** A provider's key that must never be seen anywhere but at the upstream. */
export const PROVIDER_SECRET = 'sk-provider-CANARY-5f2c9d31e8';

export const LIMITS: PathLimits = {
  bodyBytes: 1024 * 1024,
  receiveMs: 5_000,
  requestsInFlight: 5_000,
  firstByteMs: 5_000,
  idleMs: 5_000,
  slowClientMs: 20_000,
};

/** What a test wants otherwise. */
export interface WorldOptions {
  readonly policy?: object;
  readonly workspacePolicy?: object;
  readonly kind?: ProviderKind;
  readonly models?: readonly string[];
  readonly limits?: Partial<PathLimits>;
  readonly origin?: Partial<OriginRules>;
  readonly ledger?: Partial<LedgerOptions>;
  readonly bodiesBytes?: number;
}

/** The path with a real ledger on a directory of its own and a provider made of values. */
export class World {
  /** Every settlement in its order. */
  readonly settlements: Settlement[] = [];
  readonly upstream = new FakeUpstream();

  private constructor(
    readonly dataDir: string,
    readonly opened: OpenLedger,
    readonly gateway: Gateway,
    readonly liveKey: string,
    readonly testKey: string,
  ) {}

  static async open(options: WorldOptions = {}): Promise<World> {
    const dataDir = mkdtempSync(join(tmpdir(), 'panicly-gateway-'));
    const events = { onRefusedRow: () => {}, onHealth: () => {} };
    const opened = await openLedger({
      dataDir,
      clock: systemClock,
      events,
      sealKeys: TEST_SEAL_KEYS,
      commitDeadlineMs: 5_000,
      ...options.ledger,
    });
    const liveKey = newSecret('pk_live_');
    const testKey = newSecret('pk_test_');
    await opened.store.firstStart(firstStart(liveKey, testKey, options));
    const directory = new Directory();
    const gateway = gatewayOf(opened, directory, options);
    const world = new World(dataDir, opened, gateway, liveKey, testKey);
    const own = { providers: world.upstream, settle: (settlement: Settlement) => world.#settle(settlement) };
    Object.assign(gateway, own);
    await world.#fill(directory, options);
    return world;
  }

  get project(): ProjectEntry {
    return this.gateway.directory.project(1)!;
  }

  get connection(): ConnectionEntry {
    return this.project.connections[0]!;
  }

  /** How many holds wait in memory. */
  get openHolds(): number {
    return this.opened.memory.openCount;
  }

  /** Sends a request through the path. */
  call(body: object | string | ReadableStream<Uint8Array>, options: CallOptions = {}): Promise<Response | Refused> {
    const request = new Request('http://127.0.0.1/', {
      method: 'POST',
      headers: { authorization: `Bearer ${options.key ?? this.liveKey}`, 'content-type': 'application/json', ...options.headers },
      body: typeof body === 'string' || body instanceof ReadableStream ? body : JSON.stringify(body),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const { gateway } = this;
    return serve(gateway, {
      route: options.route ?? 'chat',
      request,
      peer: options.peer ?? '203.0.113.5',
      arrivedMs: gateway.monotonicMs(),
    });
  }

  /** Swaps the project's policy, as an operator's change does. */
  setPolicy(policy: object): void {
    this.gateway.directory.putProject({ ...this.project, policy: compiled(policy) });
  }

  /** Replaces a key's row in the directory. */
  changeKey(secret: string, change: Partial<ApiKey>): void {
    const { key } = this.gateway.directory.key(hashSecret(secret))!;
    this.gateway.directory.putKey({ ...key, ...change });
  }

  async close(): Promise<void> {
    await this.opened.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #settle(settlement: Settlement): void {
    this.settlements.push(settlement);
    this.opened.ledger.settle(settlement);
  }

  async #fill(directory: Directory, options: WorldOptions): Promise<void> {
    const { workspaces, projects, keys, connections } = await this.opened.store.loadDirectory();
    const entries = connections.map(({ connection }) => ({
      ...connection,
      credential: { reveal: () => PROVIDER_SECRET },
      refusedFields: new Set<string>(),
    }));
    const policy = compiled(options.policy ?? NOTHING, options.workspacePolicy ?? {});
    directory.putProject({ project: projects[0]!, workspace: workspaces[0]!, policy, connections: entries });
    for (const key of keys) directory.putKey(key);
  }
}

/** What a test wants to say about one call. */
export interface CallOptions {
  readonly route?: Route;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly peer?: string | null;
  readonly signal?: AbortSignal;
}

function gatewayOf(opened: OpenLedger, directory: Directory, options: WorldOptions): Gateway {
  return {
    ledger: opened.ledger,
    state: opened.memory,
    directory,
    catalogue: CATALOGUE,
    responseOwner: (responseId) => opened.store.projectOfResponse(responseId),
    providers: new FakeUpstream(),
    simulator: simulatorUpstream({ nowMs: () => systemClock.nowMs(), tokenPauseMs: 0 }),
    clock: systemClock,
    limits: { ...LIMITS, ...options.limits },
    bodies: new BodyBudget(options.bodiesBytes ?? 64 * 1024 * 1024),
    inFlight: new InFlight(),
    origin: { trustedProxies: [], countryHeader: null, lookup: () => null, ...options.origin },
    monotonicMs: () => systemClock.monotonicMs(),
    settle: () => {},
    observers: [],
    stopping: false,
  };
}

function firstStart(liveKey: string, testKey: string, options: WorldOptions): Parameters<OpenLedger['store']['firstStart']>[0] {
  const key = (publicId: string, environment: Environment, secret: string) => ({
    publicId,
    name: environment,
    environment,
    prefix: shownPrefix(secret),
    sha256: hashSecret(secret),
    expiresAtMs: null,
  });
  return {
    workspace: { publicId: 'wsp_1', name: 'default', plan: 'unlimited', includedRequests: null },
    project: { publicId: 'prj_1', name: 'web' },
    keys: [key('key_1', 'live', liveKey), key('key_2', 'test', testKey)],
    connections: [
      {
        publicId: 'con_1',
        name: 'main',
        kind: options.kind ?? 'openai',
        baseUrl: 'https://provider.test/v1',
        models: options.models ?? ['*'],
        secret: { kind: 'none' },
      },
    ],
    operator: { publicId: 'opr_1', name: 'first', role: 'owner', tokenSha256: 'c'.repeat(64) },
    workspacePolicy: '{}',
    projectPolicy: '{}',
    author: 'system',
  };
}

/** A chat request of a word. */
export const chatBody = (change: object = {}): object => ({
  model: 'gpt-4.1-mini',
  messages: [{ role: 'user', content: 'hi' }],
  max_tokens: 100,
  ...change,
});

/** The refusal of a call that had to be refused. */
export function refusalOf(answer: Response | Refused): { reason: string; status: number; message: string; decisionId: string | null } {
  if (!(answer instanceof Refused)) throw new Error(`answered with ${answer.status}`);
  const { refusal, decisionId } = answer;
  return { reason: refusal.reason, status: refusal.status, message: refusal.message, decisionId };
}

/** The answer to a call that had to be answered. */
export function responseOf(answer: Response | Refused): Response {
  if (answer instanceof Refused) throw new Error(`refused: ${answer.refusal.reason}: ${answer.refusal.message}`);
  return answer;
}

/** Reads a stream to its end: the text, and whether it broke. */
export async function readAll(response: Response): Promise<{ text: string; broken: boolean }> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
    return { text, broken: false };
  } catch {
    return { text, broken: true };
  }
}
