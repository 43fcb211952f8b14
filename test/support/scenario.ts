import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyElysia } from 'elysia';
import { makeGateway, makeOffice, masterKeyHome } from '../../src/app.ts';
import { loadConfig, type Environment } from '../../src/config.ts';
import type { Clock } from '../../src/clock.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import { createApp } from '../../src/http/app.ts';
import { CHAIN_SEAL } from '../../src/ledger/sqlite/chain/key.ts';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { openLedger, type OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import { verifyLedger } from '../../src/ledger/sqlite/verify.ts';
import { firstStart, type FirstStartResult } from '../../src/operator/first-start.ts';
import type { Office } from '../../src/operator/office.ts';
import { Log } from '../../src/log.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { httpUpstream } from '../../src/upstream/http.ts';

/** Wall and monotonic time that a test moves. It also runs by itself, so that deadlines pass as they do outside. */
export class TestClock implements Clock {
  #wallOffsetMs = 0;
  #passedMs = 0;

  nowMs(): number {
    return Date.now() + this.#wallOffsetMs + this.#passedMs;
  }

  monotonicMs(): number {
    return performance.now() + this.#passedMs;
  }

  /** Lets time pass, on both clocks. */
  pass(ms: number): void {
    this.#passedMs += ms;
  }

  /** Sets the wall clock forward or back, as a person or a time server would. */
  jump(ms: number): void {
    this.#wallOffsetMs += ms;
  }
}

/** An answer as a test looks at it. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON, or null when it is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

/** The real program in this process: a real SQLite file in a directory of its own, the real path, every route. */
export class Scenario {
  constructor(
    readonly dataDir: string,
    readonly clock: TestClock,
    readonly ledger: OpenLedger,
    readonly gateway: Gateway,
    readonly office: Office,
    readonly app: AnyElysia,
    readonly made: FirstStartResult,
    /** What the program reported as failures of its own. */
    readonly failures: unknown[],
    readonly watching: Watching,
  ) {}

  /** Sends a request to the program, without a network in between. */
  async send(request: Request): Promise<Answer> {
    const response = await this.app.handle(request);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
  }

  /** Asks the operator API as the first owner, or with another token (null: none). */
  operate(method: string, path: string, body?: unknown, options: OperateOptions = {}): Promise<Answer> {
    const token = options.token === undefined ? this.made.operatorToken : options.token;
    const headers: Record<string, string> = { host: 'panicly.test', ...options.headers };
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const init = { method, headers, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) };
    return this.send(new Request(`http://panicly.test/admin/v1${path}`, init));
  }

  /** Sends a chat request with a project key. */
  chat(key: string, body: Readonly<Record<string, unknown>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const message = { model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Say hello.' }], ...body };
    return this.send(
      new Request('http://panicly.test/v1/chat/completions', {
        method: 'POST',
        headers: { host: 'panicly.test', authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(message),
      }),
    );
  }

  /** What recomputing the ledger finds wrong, once everything is on disk. */
  async problems(): Promise<unknown[]> {
    await this.ledger.ledger.drain();
    return verifyLedger(ledgerPath(this.dataDir));
  }

  /** Ends the program, and starts it again on the same directory, in the same environment or another. */
  async restart(environment: Environment = this.watching.environment): Promise<Scenario> {
    await this.#stop();
    return startIn(this.dataDir, this.clock, this.made, environment);
  }

  /** Ends the program and removes its directory. */
  async close(): Promise<void> {
    await this.#stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  async #stop(): Promise<void> {
    await this.gateway.inFlight.idle();
    await this.office.replays.close();
    await this.ledger.close();
    this.gateway.providers.close();
    await this.watching.telemetry.stop();
  }
}

/** Metrics, traces and the log of a program. */
export interface Watching {
  readonly telemetry: Telemetry;
  /** What was logged. */
  readonly lines: string[];
  /** The environment that it was started with. */
  readonly environment: Environment;
}

/** How to ask the operator API. */
export interface OperateOptions {
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Starts the program on an empty directory. The caller closes it. */
export function startScenario(clock: TestClock = new TestClock(), environment: Environment = {}): Promise<Scenario> {
  return startIn(mkdtempSync(join(tmpdir(), 'panicly-scenario-')), clock, null, environment);
}

/** Starts the program for the first time on a directory that is there. The caller closes it. */
export function startScenarioIn(dataDir: string): Promise<Scenario> {
  return startIn(dataDir, new TestClock(), null, {});
}

/** Starts the program on a directory where another process made its first start. The caller closes it. */
export function startOn(dataDir: string, made: FirstStartResult): Promise<Scenario> {
  return startIn(dataDir, new TestClock(), made, {});
}

async function startIn(dataDir: string, clock: TestClock, before: FirstStartResult | null, environment: Environment): Promise<Scenario> {
  const config = loadConfig({ data: dataDir }, { PANICLY_ALLOW_HTTP_UPSTREAM: '1', ...environment });
  const failures: unknown[] = [];
  const lines: string[] = [];
  const log = new Log(
    () => ({ write: (text: string) => lines.push(text) > 0, on: () => undefined }),
    () => clock.nowMs(),
  );
  const telemetry = new Telemetry({ settings: config, clock, http: () => httpUpstream(), log, batchEveryMs: 20 });
  const events = {
    ...telemetry.ledgerMetrics.events,
    onRefusedRow: (seq: number, message: string) => void failures.push(`row ${seq}: ${message}`),
    onHealth: () => undefined,
  };
  const sealKeys = masterKeyHome(config).masterKey.deriveAll(CHAIN_SEAL);
  const ledger = await openLedger({ dataDir, clock, events, sealKeys, commitDeadlineMs: 10_000 });
  const made = before ?? (await firstStart(ledger.store, null, () => false));
  const gateway = makeGateway(config, ledger, clock);
  const office = await makeOffice(config, ledger, gateway);
  telemetry.watch({ gateway, ledger: ledger.ledger, memory: ledger.memory, dataDir });
  const report = (error: unknown) => void failures.push(error);
  const app = createApp(
    { gateway, office, cors: { origins: [] }, report, metrics: { text: () => telemetry.metricsText(), token: config.metricsToken } },
    { maxRequestBodyBytes: config.bodyBytes },
  );
  return new Scenario(dataDir, clock, ledger, gateway, office, app, made, failures, { telemetry, lines, environment });
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
