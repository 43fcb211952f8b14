import { Refusal } from '../domain/errors.ts';
import { modelIsAllowed } from '../policy/access.ts';
import type { CompiledPolicy } from '../policy/compiled.ts';
import type { Catalogue } from '../pricing/catalogue.ts';
import { VERSION } from '../version.ts';
import { requestHeaders } from '../upstream/headers.ts';
import { upstreamUrl } from '../upstream/providers.ts';
import { matchesPattern } from '../upstream/routing.ts';
import { judgeAccess } from './access.ts';
import { authenticate, type Caller } from './authenticate.ts';
import { collect } from './collect.ts';
import type { ConnectionEntry } from './directory.ts';
import type { Gateway } from './gateway.ts';
import { originOf } from './origin.ts';
import { Refused } from './refused.ts';
import { SIMULATOR_MODELS } from '../upstream/simulator/triggers.ts';

/** A model in the provider's shape. */
export interface ModelEntry {
  readonly id: string;
  readonly object: 'model';
  readonly created: number;
  readonly owned_by: string;
}

const USER_AGENT = `panicly/${VERSION}`;
const LIST_BYTES = 4 * 1024 * 1024;
const LIST_TIMEOUT_MS = 10_000;
const REMEMBERED_MS = 60_000;

/** What this project may use: judged by network, region and Sentry Mode; reserves nothing and makes no row. */
export async function listModels(gateway: Gateway, request: Request, peer: string | null): Promise<Response | Refused> {
  const models = await usableModels(gateway, request, peer);
  return models instanceof Refused ? models : Response.json({ object: 'list', data: models });
}

/** One model of the list, by its name in any letter case. */
export async function oneModel(gateway: Gateway, request: Request, peer: string | null, name: string): Promise<Response | Refused> {
  const models = await usableModels(gateway, request, peer);
  if (models instanceof Refused) return models;
  const found = models.find((model) => model.id.toLowerCase() === name.toLowerCase());
  if (found) return Response.json(found);
  return new Refused(
    new Refusal('unknown_model', `The project has no model ${JSON.stringify(name.slice(0, 100))}. See: GET /v1/models`, { param: 'model' }),
  );
}

async function usableModels(gateway: Gateway, request: Request, peer: string | null): Promise<ModelEntry[] | Refused> {
  const caller = authenticate(request.headers, gateway.directory, gateway.clock.nowMs());
  if (caller instanceof Refusal) return new Refused(caller);
  const refusal = judgeAccess(gateway, caller, originOf(request.headers, peer, gateway.origin));
  if (refusal) return new Refused(refusal);
  if (caller.environment === 'test') return SIMULATOR_MODELS.map((id) => entryOf(id, 'panicly-simulator'));
  return modelsOf(gateway, caller);
}

async function modelsOf(gateway: Gateway, caller: Caller): Promise<ModelEntry[]> {
  const { connections, policy } = caller.entry;
  const lists = await Promise.all(connections.map((connection) => connectionModels(gateway, connection, policy)));
  const byName = new Map<string, ModelEntry>();
  for (const model of lists.flat()) if (!byName.has(model.id)) byName.set(model.id, model);
  return [...byName.values()];
}

async function connectionModels(gateway: Gateway, connection: ConnectionEntry, policy: CompiledPolicy): Promise<ModelEntry[]> {
  const declared = connection.models.filter((model) => !model.includes('*'));
  const patterns = connection.models.filter((model) => model.includes('*'));
  const known = patterns.length === 0 ? [] : catalogueModels(gateway.catalogue, connection, patterns);
  const own = known.length === 0 && patterns.includes('*') ? await servedModels(gateway, connection) : [];
  return [...declared, ...known, ...own]
    .filter((name) => modelIsAllowed(policy, gateway.catalogue.resolve(connection.kind, connection.baseUrl, name)?.id ?? name))
    .map((name) => entryOf(name, connection.name));
}

function catalogueModels(catalogue: Catalogue, connection: ConnectionEntry, patterns: readonly string[]): string[] {
  return catalogue
    .list(connection.kind)
    .map((model) => model.id)
    .filter((id) => patterns.some((pattern) => matchesPattern(pattern, id)));
}

/** Lists that servers gave lately, by connection: kept for a minute, and forgotten with their connection. */
const remembered = new WeakMap<ConnectionEntry, { readonly atMs: number; readonly models: Promise<readonly string[]> }>();

/** All who ask at the same time share one question to the server. When it does not answer, its last list stands. */
function servedModels(gateway: Gateway, connection: ConnectionEntry): Promise<readonly string[]> {
  const nowMs = gateway.clock.monotonicMs();
  const known = remembered.get(connection);
  if (known && nowMs - known.atMs < REMEMBERED_MS) return known.models;
  const models = askForModels(gateway, connection).then((names) => names ?? known?.models ?? []);
  remembered.set(connection, { atMs: nowMs, models });
  return models;
}

async function askForModels(gateway: Gateway, connection: ConnectionEntry): Promise<readonly string[] | null> {
  const secret = revealed(connection);
  if (secret === undefined) return null;
  const answer = await gateway.providers.send({
    url: upstreamUrl(connection, 'models'),
    method: 'GET',
    headers: requestHeaders(new Headers(), { secret, userAgent: USER_AGENT }),
    body: null,
    signal: null,
    firstByteMs: LIST_TIMEOUT_MS,
    idleMs: LIST_TIMEOUT_MS,
  });
  if (answer.kind !== 'answer') return null;
  try {
    const { bytes, whole } = await collect(answer, LIST_BYTES);
    if (!whole) answer.abort();
    return whole && answer.status === 200 ? namesIn(JSON.parse(Buffer.from(bytes).toString())) : null;
  } catch {
    return null;
  }
}

/** Undefined when the key cannot be opened. */
function revealed(connection: ConnectionEntry): string | null | undefined {
  try {
    return connection.credential.reveal();
  } catch {
    return undefined;
  }
}

function namesIn(list: unknown): string[] {
  const data = (list as { readonly data?: unknown } | null)?.data;
  if (!Array.isArray(data)) return [];
  return data.map((model: { readonly id?: unknown } | null) => model?.id).filter((id) => typeof id === 'string');
}

function entryOf(id: string, owner: string): ModelEntry {
  return { id, object: 'model', created: 0, owned_by: owner };
}
