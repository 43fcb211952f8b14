import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import models from '../db/models.json';
import { systemClock, type Clock } from './clock.ts';
import { ConfigProblem, configPath, loadConfig, readEnvironmentVariable, type Config, type ConfigFlags } from './config.ts';
import { CliProblem } from './cli/problem.ts';
import type { CliHandlers, InitResult, RestoreResult, VerifyResult } from './cli/handlers.ts';
import { BodyBudget } from './gateway/body-budget.ts';
import { CountryDatabaseProblem, openCountryDatabase, type CountryLookup } from './gateway/country.ts';
import { Directory } from './gateway/directory.ts';
import type { Gateway } from './gateway/gateway.ts';
import { InFlight } from './gateway/in-flight.ts';
import { log, logEvent } from './log.ts';
import type { LedgerEvents } from './ledger/engine.ts';
import { DataDirectoryInUse } from './ledger/sqlite/lock.ts';
import { parseHead } from './ledger/sqlite/chain/head.ts';
import { CHAIN_SEAL } from './ledger/sqlite/chain/key.ts';
import { ledgerPath } from './ledger/sqlite/open.ts';
import { openLedger, type OpenLedger } from './ledger/sqlite/open-ledger.ts';
import type { Store } from './ledger/store.ts';
import { reportOn } from './ledger/sqlite/verify.ts';
import { LedgerNews } from './operator/alerts/ledger-news.ts';
import { openDesk } from './operator/alerts/open-desk.ts';
import { Backups } from './operator/backups.ts';
import { RestoreProblem, restoreLedger, stopAfterRestore } from './operator/restore.ts';
import { firstStart, WeakOperatorToken, type FirstStartResult } from './operator/first-start.ts';
import { KeyUses } from './operator/key-use.ts';
import { settleMasterKey } from './operator/master-key.ts';
import type { Office } from './operator/office.ts';
import { examineDirectory } from './operator/doctor/local.ts';
import type { Surroundings } from './operator/doctor/server.ts';
import { ProviderHealth } from './operator/provider-health.ts';
import { pricesAtStart } from './operator/catalogue-start.ts';
import { PriceBoard } from './operator/price-board.ts';
import { Pruning } from './operator/pruning.ts';
import { Replays } from './operator/replay/replays.ts';
import { Registry } from './operator/registry.ts';
import { Turns } from './operator/turns.ts';
import { Catalogue } from './pricing/catalogue.ts';
import { followReloads, pathLimits, type LiveConfig } from './reload.ts';
import { checkAddress, listen } from './server.ts';
import { httpUpstream } from './upstream/http.ts';
import { environmentHome, fileHome, type MasterKeyHome } from './upstream/master-key-home.ts';
import { SecretError } from './upstream/secrets.ts';
import { simulatorUpstream } from './upstream/simulator/simulator.ts';
import { greeting } from './greeting.ts';
import { Telemetry } from './telemetry/telemetry.ts';

/** The one place that wires: what the command line can do on this machine. */
export const handlers: CliHandlers = { examine, serve, init, restore, verify };

const TOKEN_FILE = 'operator.token';
const MASTER_KEY_FILE = 'master.key';

async function serve(flags: ConfigFlags): Promise<void> {
  const config: LiveConfig = loadConfig(flags);
  const { bodyBytes: startBodyBytes } = config;
  const cors = { origins: config.corsOrigins };
  // Before the first start makes keys that are shown only once: what can go wrong goes wrong here.
  const lookup = countryLookup(config);
  if (config.masterKey !== null) checkMasterKey(config);
  checkAddress(config);
  const news = new LedgerNews();
  const telemetry = new Telemetry({ settings: config, clock: systemClock, http: () => httpUpstream({ proxy: config.upstreamProxy }) });
  const { ledger, made } = await openData(config, telemetry.ledgerMetrics.events, news);
  const gateway = makeGateway(config, ledger, systemClock, lookup);
  const office = await makeOffice(config, ledger, gateway, news);
  telemetry.watch({ gateway, ledger: ledger.ledger, memory: ledger.memory, dataDir: config.dataDir });
  const metrics = { text: () => telemetry.metricsText(), token: config.metricsToken };
  const report = (error: unknown, failureId: string) => logEvent('failure', { failure_id: failureId, error: describe(error) }, 'error');
  const server = await startOrClose(ledger, () => listen(config, gateway, { gateway, office, cors, report, metrics }));
  office.alerts.start();
  office.backups.start();
  office.pruning.start();
  followReloads({ config, gateway, cors, log, schedules: [office.backups, office.pruning], startBodyBytes }, () => loadConfig(flags));
  process.stdout.write(greeting(server.url, config.dataDir, made));
  await stopSignal();
  logEvent('stopping', { in_flight: gateway.inFlight.size });
  await server.stop();
  await office.alerts.close();
  await office.replays.close();
  await office.backups.close();
  await office.pruning.close();
  await ledger.close();
  gateway.providers.close();
  await telemetry.stop();
  logEvent('stopped');
  // Lines that nobody reads would keep the process from ending.
  if (log.isBlocked) await Bun.sleep(LAST_LINES_MS);
  if (log.isBlocked) process.exit();
}

/** How long a slow reader of the log gets at the end. */
const LAST_LINES_MS = 500;

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
async function openData(
  config: Config,
  events: CommitEvents = {},
  news = new LedgerNews(),
): Promise<{ ledger: OpenLedger; made: FirstStartResult | null }> {
  const ledger = await openOrExplain(config, events, news);
  return startOrClose(ledger, async () => {
    const { workspaces } = await ledger.store.loadDirectory();
    if (workspaces.length > 0) {
      if (await stopAfterRestore(ledger.store, config.dataDir)) logEvent('restored', { next: 'panicly ledger confirm-restore' }, 'warn');
      return { ledger, made: null };
    }
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

/** What the ledger tells of its commits. */
type CommitEvents = Pick<LedgerEvents, 'onCommit' | 'onWriterDeath'>;

async function openOrExplain(config: Config, events: CommitEvents, news: LedgerNews): Promise<OpenLedger> {
  try {
    mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
    return await openLedger({
      dataDir: config.dataDir,
      sealKeys: masterKeyHome(config).masterKey.deriveAll(CHAIN_SEAL),
      clock: systemClock,
      events: {
        ...events,
        onRefusedRow: (seq, message) => {
          news.rowRefused(seq);
          logEvent('ledger_row_refused', { seq, message }, 'error');
        },
        onHealth: (available, why) => {
          news.health(available, why);
          logEvent(available ? 'ledger_available' : 'ledger_unavailable', { why }, available ? 'info' : 'error');
        },
      },
    });
  } catch (error) {
    throw explained(error);
  }
}

/** What the system says of a place where no data directory can be. */
const UNUSABLE_DIRECTORY = new Set(['EACCES', 'EROFS', 'ENOTDIR', 'EEXIST', 'EPERM', 'ENOENT', 'ENAMETOOLONG', 'ENOSPC']);

function explained(error: unknown): unknown {
  if (error instanceof DataDirectoryInUse)
    return new ConfigProblem(`${error.message}: stop that one, or choose another directory with --data`);
  if (error instanceof SecretError) return new ConfigProblem(error.message);
  if (error instanceof WeakOperatorToken)
    return new ConfigProblem('PANICLY_OPERATOR_TOKEN is not a token of ours: leave it out and the first start makes one');
  const { code, path, message } = error as NodeJS.ErrnoException;
  if (code === 'LEDGER_NOT_OPENED') return new ConfigProblem(`the ledger in the data directory cannot be opened: ${message}`);
  if (code !== undefined && (UNUSABLE_DIRECTORY.has(code) || code.startsWith('SQLITE_')))
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
  return {
    ledger,
    state: memory,
    directory: new Directory(),
    catalogue: Catalogue.parse(models),
    responseOwner: (responseId) => store.projectOfResponse(responseId),
    providers: httpUpstream({ proxy: config.upstreamProxy }),
    simulator: simulatorUpstream({ nowMs: () => clock.nowMs() }),
    clock,
    limits: pathLimits(config),
    bodies: new BodyBudget(config.bodiesInFlightBytes),
    inFlight: new InFlight(),
    origin: {
      trustedProxies: config.trustedProxies,
      countryHeader: config.countryHeader,
      lookup,
    },
    observers: [],
    monotonicMs: () => clock.monotonicMs(),
    settle: (settlement) => ledger.settle(settlement),
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

/** The master key from the environment, or from the data directory, where the first call makes it. Throws `SecretError`. */
export function masterKeyHome({ masterKey, masterKeyNew, dataDir }: Config): MasterKeyHome {
  if (masterKey !== null) return environmentHome(masterKey, masterKeyNew);
  if (masterKeyNew === null) return fileHome(dataDir);
  throw new SecretError('PANICLY_MASTER_KEY_NEW replaces PANICLY_MASTER_KEY: set both, or neither and run: panicly master-key rotate');
}

function checkMasterKey(config: Config): void {
  try {
    masterKeyHome(config);
  } catch (error) {
    throw explained(error);
  }
}

function openBackups(config: Config, store: Store, clock: Clock): Backups {
  return new Backups({
    directory: config.backupDirectory,
    get everyMs() {
      return config.backupEveryMs;
    },
    get keep() {
      return config.backupKeep;
    },
    ledgerPath: ledgerPath(config.dataDir),
    store,
    clock,
    log: (event, fields) => logEvent(event, fields, event === 'backup_failed' ? 'error' : 'info'),
  });
}

function watchedProviders(gateway: Gateway): ProviderHealth {
  const health = new ProviderHealth(() => gateway.clock.nowMs());
  gateway.observers.push(health);
  return health;
}

function surroundingsOf(config: Config, { providers }: Gateway): Surroundings {
  const { dataDir } = config;
  return {
    dataDir,
    ledgerPath: ledgerPath(dataDir),
    get trustedProxies() {
      return config.trustedProxies;
    },
    get backupEveryMs() {
      return config.backupEveryMs;
    },
    upstream: providers,
  };
}

/** The operators' side of the same ledger and path; the prices that operators set come into force here. */
export async function makeOffice(config: Config, opened: OpenLedger, gateway: Gateway, news = new LedgerNews()): Promise<Office> {
  const { ledger, store, memory, time } = opened;
  const { clock } = gateway;
  return startOrClose(opened, async () => {
    const keyHome = masterKeyHome(config);
    const { masterKey } = keyHome;
    const snapshot = await store.loadDirectory();
    const registry = new Registry(snapshot, gateway.directory, masterKey);
    const atStart = await pricesAtStart(store, { raw: models, catalogue: gateway.catalogue }, snapshot.prices);
    const prices = new PriceBoard(atStart, (catalogue) => (gateway.catalogue = catalogue));
    const room = {
      store,
      registry,
      directory: gateway.directory,
      inFlight: gateway.inFlight,
      masterKey,
      keyHome,
      keyUses: new KeyUses(store, gateway.directory, ledger.nowMs()),
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
      health: watchedProviders(gateway),
      surroundings: surroundingsOf(config, gateway),
      backups: openBackups(config, store, clock),
      pruning: new Pruning({
        store,
        clock,
        nowMs: () => ledger.nowMs(),
        sleptMs: time.sleptMs,
        get days() {
          return config.retentionDays;
        },
        log: (event, fields) => logEvent(event, fields, event === 'ledger_pruned' ? 'info' : 'error'),
      }),
    };
    const onFailure = (error: unknown) => logEvent('alerts_failed', { error: describe(error) }, 'error');
    const alerts = openDesk(room, snapshot, gateway, httpUpstream({ proxy: config.upstreamProxy }), { news, onFailure });
    const office = { ...room, alerts };
    const rotated = await settleMasterKey(office);
    if (rotated !== null) logEvent('master_key_changed', { ...rotated });
    return office;
  });
}

/** What opens the key of the chain; none when this machine has no master key. */
function knownSealKeys(config: Config): readonly Uint8Array[] {
  const isKnown = config.masterKey !== null || existsSync(join(config.dataDir, MASTER_KEY_FILE));
  return isKnown ? masterKeyHome(config).masterKey.deriveAll(CHAIN_SEAL) : [];
}

async function verify(
  flags: ConfigFlags,
  anchor?: string,
  onProgress: (done: number, total: number) => void = () => {},
): Promise<VerifyResult> {
  const config = loadConfig(flags);
  const path = ledgerPath(config.dataDir);
  if (!existsSync(path)) throw new ConfigProblem(`there is no ledger at ${path}: name its data directory with --data`);
  const head = anchor === undefined ? null : parseHead(anchor);
  if (anchor !== undefined && head === null)
    throw new ConfigProblem('--anchor takes a line that "panicly ledger head" printed, or a file with it');
  const { firstBadRow, ...report } = reportOn(path, { sealKeys: knownSealKeys(config), head, onProgress });
  return { ok: report.problems.length === 0, ...report, first_bad_row: firstBadRow };
}

async function restore(flags: ConfigFlags, file: string, moveAside: boolean): Promise<RestoreResult> {
  const config = loadConfig(flags);
  const { dataDir } = config;
  try {
    const sealKeys = knownSealKeys(config);
    const made = restoreLedger({ dataDir, file: resolve(file), moveAside, nowMs: systemClock.nowMs(), sealKeys });
    return {
      data: dataDir,
      decisions: made.decisions,
      settlements: made.settlements,
      seq: made.lastSeq,
      ledger_at: new Date(made.lastAtMs).toISOString(),
      chain_head: made.chainHead,
      manifest: made.hadManifest,
      before: made.before,
      notes: made.notes,
      needs_master_key: sealKeys.length === 0,
    };
  } catch (error) {
    throw error instanceof RestoreProblem ? new CliProblem(error.message, 1, { cause: error }) : explained(error);
  }
}

async function examine(flags: ConfigFlags) {
  return examineDirectory(() => loadConfig(flags), configPath(flags), systemClock.nowMs());
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
