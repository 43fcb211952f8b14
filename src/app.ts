import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import models from '../db/models.json';
import { systemClock, type Clock } from './clock.ts';
import { ConfigProblem, loadConfig, readEnvironmentVariable, type Config, type ConfigFlags } from './config.ts';
import type { CliHandlers, InitResult, VerifyResult } from './cli/handlers.ts';
import { BodyBudget } from './gateway/body-budget.ts';
import { Counters } from './gateway/counters.ts';
import { CountryDatabaseProblem, openCountryDatabase, type CountryLookup } from './gateway/country.ts';
import { Directory } from './gateway/directory.ts';
import type { Gateway } from './gateway/gateway.ts';
import { InFlight } from './gateway/in-flight.ts';
import { logEvent } from './log.ts';
import { DataDirectoryInUse } from './ledger/sqlite/lock.ts';
import { countRows } from './ledger/sqlite/counts.ts';
import { ledgerPath } from './ledger/sqlite/open.ts';
import { openLedger, type OpenLedger } from './ledger/sqlite/open-ledger.ts';
import { verifyLedger } from './ledger/sqlite/verify.ts';
import { firstStart, WeakOperatorToken, type FirstStartResult } from './operator/first-start.ts';
import type { Office } from './operator/office.ts';
import { PriceBoard } from './operator/price-board.ts';
import { Replays } from './operator/replay/replays.ts';
import { Registry } from './operator/registry.ts';
import { Turns } from './operator/turns.ts';
import { Catalogue } from './pricing/catalogue.ts';
import { checkAddress, listen } from './server.ts';
import { httpUpstream } from './upstream/http.ts';
import { loadOrMakeMasterKey, parseMasterKey, SecretError, type MasterKey } from './upstream/secrets.ts';
import { simulatorUpstream } from './upstream/simulator/simulator.ts';
import { greeting } from './greeting.ts';

/** The one place that wires: what the command line can do on this machine. */
export const handlers: CliHandlers = { serve, init, verify };

const TOKEN_FILE = 'operator.token';

async function serve(flags: ConfigFlags): Promise<void> {
  const config = loadConfig(flags);
  // Before the first start makes keys that are shown only once: what can go wrong goes wrong here.
  const lookup = countryLookup(config);
  if (config.masterKey !== null) checkMasterKey(config.masterKey);
  checkAddress(config);
  const { ledger, made } = await openData(config);
  const gateway = makeGateway(config, ledger, systemClock, lookup);
  const office = await makeOffice(config, ledger, gateway);
  const report = (error: unknown, failureId: string) => logEvent('failure', { failureId, error: describe(error) });
  const server = await startOrClose(ledger, () =>
    listen(config, gateway, { gateway, office, cors: { origins: config.corsOrigins }, report }),
  );
  process.stdout.write(greeting(server.url, config.dataDir, made));
  await stopSignal();
  logEvent('stopping', { in_flight: gateway.inFlight.size });
  await server.stop();
  await office.replays.close();
  await ledger.close();
  gateway.providers.close();
  logEvent('stopped');
}

async function init(flags: ConfigFlags): Promise<InitResult | null> {
  const { ledger, made } = await openData(loadConfig(flags));
  await ledger.close();
  return (
    made && {
      workspace_id: made.workspaceId,
      project_id: made.projectId,
      live_key: made.liveKey,
      test_key: made.testKey,
      operator_token: made.operatorToken,
    }
  );
}

/** The ledger of the data directory, and what was made when this is its first start. */
async function openData(config: Config): Promise<{ ledger: OpenLedger; made: FirstStartResult | null }> {
  const ledger = await openOrExplain(config);
  return startOrClose(ledger, async () => {
    const { workspaces } = await ledger.store.loadDirectory();
    if (workspaces.length > 0) return { ledger, made: null };
    const made = await firstStart(ledger.store, config.operatorToken, (variable) => readEnvironmentVariable(variable) !== null);
    writeFileSync(join(config.dataDir, TOKEN_FILE), `${made.operatorToken}\n`, { mode: 0o600 });
    return { ledger, made };
  });
}

/** Does what needs an open ledger, and leaves the ledger whole when it does not work. */
async function startOrClose<Result>(ledger: OpenLedger, work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    await ledger.close();
    throw explained(error);
  }
}

async function openOrExplain(config: Config): Promise<OpenLedger> {
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    return await openLedger({
      dataDir: config.dataDir,
      clock: systemClock,
      events: {
        onRefusedRow: (seq, message) => logEvent('ledger_row_refused', { seq, message }),
        onHealth: (available, why) => logEvent(available ? 'ledger_available' : 'ledger_unavailable', { why }),
      },
    });
  } catch (error) {
    throw explained(error);
  }
}

function explained(error: unknown): unknown {
  if (error instanceof DataDirectoryInUse)
    return new ConfigProblem(`${error.message}: stop that one, or choose another directory with --data`);
  if (error instanceof SecretError) return new ConfigProblem(error.message);
  if (error instanceof WeakOperatorToken)
    return new ConfigProblem('PANICLY_OPERATOR_TOKEN is not a token of ours: leave it out and the first start makes one');
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'LEDGER_NOT_OPENED') return new ConfigProblem(`the ledger in the data directory cannot be opened: ${message}`);
  if (code === 'EACCES' || code === 'EROFS' || code === 'ENOTDIR' || code === 'EEXIST' || code === 'EPERM' || code?.startsWith('SQLITE_'))
    return new ConfigProblem(
      `the data directory cannot be used (${code}${path === undefined ? '' : `, ${path}`}): choose another with --data`,
    );
  return error;
}

/** The path over an open ledger. Another clock is for tests. */
export function makeGateway(
  config: Config,
  { ledger, memory, store }: OpenLedger,
  clock: Clock = systemClock,
  lookup: CountryLookup = countryLookup(config),
): Gateway {
  const counters = new Counters();
  return {
    ledger,
    state: memory,
    directory: new Directory(),
    catalogue: Catalogue.parse(models),
    responseOwner: (responseId) => store.projectOfResponse(responseId),
    providers: httpUpstream({ proxy: config.upstreamProxy }),
    simulator: simulatorUpstream({ nowMs: () => clock.nowMs() }),
    clock,
    limits: config,
    bodies: new BodyBudget(config.bodiesInFlightBytes),
    inFlight: new InFlight(),
    origin: {
      trustedProxies: config.trustedProxies,
      countryHeader: config.countryHeader,
      lookup,
    },
    counters,
    observers: [],
    monotonicMs: () => clock.monotonicMs(),
    settle(settlement) {
      counters.settlement(settlement);
      ledger.settle(settlement);
    },
    stopping: false,
  };
}

/** Follows the operator's country database, or opens the built-in one. */
function countryLookup({ countryDatabase }: Config): CountryLookup {
  try {
    return openCountryDatabase(countryDatabase, {
      onReload: (problem) => logEvent('country_database', { loaded: problem === null, ...(problem ? { why: problem.message } : {}) }),
    });
  } catch (error) {
    throw error instanceof CountryDatabaseProblem ? new ConfigProblem(error.message, { cause: error }) : error;
  }
}

function checkMasterKey(text: string): void {
  try {
    parseMasterKey(text);
  } catch (error) {
    throw explained(error);
  }
}

/** The operators' side of the same ledger and path; the prices that operators set come into force here. */
export async function makeOffice(config: Config, opened: OpenLedger, gateway: Gateway): Promise<Office> {
  const { ledger, store, memory, time } = opened;
  const { clock } = gateway;
  return startOrClose(opened, async () => {
    const masterKey: MasterKey = config.masterKey === null ? loadOrMakeMasterKey(config.dataDir) : parseMasterKey(config.masterKey);
    const snapshot = await store.loadDirectory();
    const registry = new Registry(snapshot, gateway.directory, masterKey);
    const prices = new PriceBoard(gateway.catalogue, snapshot.prices, (catalogue) => (gateway.catalogue = catalogue));
    return {
      store,
      registry,
      directory: gateway.directory,
      inFlight: gateway.inFlight,
      masterKey,
      clock,
      allowHttpUpstream: config.allowHttpUpstream,
      engine: {
        get available() {
          return ledger.available;
        },
        nowMs: () => ledger.nowMs(),
        clockConfirmed: () => time.confirmed,
        confirmClock: () => void time.confirm(clock.nowMs(), clock.monotonicMs()),
      },
      state: memory,
      prices,
      turns: new Turns(),
      replays: new Replays(ledgerPath(config.dataDir)),
    };
  });
}

async function verify(flags: ConfigFlags): Promise<VerifyResult> {
  const path = ledgerPath(loadConfig(flags).dataDir);
  if (!existsSync(path)) throw new ConfigProblem(`there is no ledger at ${path}: name its data directory with --data`);
  const problems = verifyLedger(path).map(({ kind, detail }) => `${kind}: ${detail}`);
  return { ok: problems.length === 0, ...countRows(path), problems };
}

/** Resolves on SIGTERM or SIGINT. A second signal ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let stopping = false;
    const onSignal = () => {
      if (stopping) process.exit(1);
      stopping = true;
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
