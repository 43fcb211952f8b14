import type { Project, Workspace } from '../../domain/project.ts';
import type { StoredConnection } from '../../ledger/store.ts';
import { defaultPolicy, defaultWorkspacePolicy } from '../../policy/document.ts';
import { withoutDefaults, withoutNulls } from '../../policy/sparse.ts';
import { PROVIDERS } from '../../upstream/providers.ts';
import { ALERT_EVENTS, DEFAULT_PROVIDER_RULE, DEFAULT_THRESHOLDS, type LivingAlert } from '../alerts/definition.ts';
import type { Office } from '../office.ts';
import { priceWords } from '../price-words.ts';
import {
  STORED,
  type AlertEntry,
  type ConfigurationFile,
  type PriceEntry,
  type ProjectEntry,
  type ProviderEntry,
  type WorkspaceEntry,
} from './document.ts';

/**
 * All that a file can say of this server, in an order that depends on names only; providers stand in the order in which they are asked.
 * Of policies only what differs from the defaults, or with `isFull` everything. Holds no secret: `stored` stands in its place.
 */
export function exportConfiguration(office: Office, isFull: boolean): Required<ConfigurationFile> {
  const { registry } = office;
  const workspaces = [...registry.workspaces.values()].toSorted(byName);
  const projects = workspaces.flatMap((workspace) =>
    [...registry.projects.values()]
      .filter(({ workspaceId }) => workspaceId === workspace.id)
      .toSorted(byName)
      .map((project) => projectEntry(office, workspace, project, isFull)),
  );
  return {
    workspaces: workspaces.map((workspace) => workspaceEntry(office, workspace, isFull)),
    projects,
    prices: office.prices
      .overrides()
      .map(({ override }): PriceEntry => ({ provider: override.provider, model: override.model, ...priceWords(override) })),
    alerts: alertEntries(office),
  };
}

/** What changes whenever somebody changes what a file can say: a file that was planned against another state is planned again. */
export function configurationState(office: Office): string {
  // Whether a price makes holds smaller depends on the price list as well.
  const said = [exportConfiguration(office, true), office.prices.current.version];
  return new Bun.CryptoHasher('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 32);
}

function workspaceEntry({ registry }: Office, { id, name, plan, includedRequests }: Workspace, isFull: boolean): WorkspaceEntry {
  const stored = registry.workspacePolicy(id);
  const policy = stored === null ? defaultWorkspacePolicy() : (JSON.parse(stored.document) as object);
  return {
    name,
    plan,
    ...(plan === 'custom' ? { included_requests: includedRequests } : {}),
    policy: told(policy, defaultWorkspacePolicy(), isFull),
  };
}

function projectEntry({ registry }: Office, workspace: Workspace, { id, name }: Project, isFull: boolean): ProjectEntry {
  const stored = registry.projectPolicy(id);
  const policy = stored === null ? defaultPolicy() : (JSON.parse(stored.document) as object);
  const providers = [...registry.connections.values()]
    .filter(({ connection }) => connection.projectId === id)
    .toSorted((a, b) => a.connection.id - b.connection.id);
  return {
    name,
    workspace: workspace.name,
    policy: told(policy, defaultPolicy(), isFull),
    providers: providers.map(providerEntry),
  };
}

/** What is null by default goes without saying even in full. */
function told(policy: object, defaults: object, isFull: boolean): object {
  return isFull ? withoutNulls(policy, defaults) : withoutDefaults(policy, defaults);
}

function providerEntry({ connection, secret }: StoredConnection): ProviderEntry {
  const { name, kind, baseUrl, models } = connection;
  const usual = PROVIDERS[kind];
  return {
    name,
    kind,
    ...(baseUrl === usual.baseUrl ? {} : { base_url: baseUrl }),
    ...(secret.kind === 'environment' ? { api_key_env: secret.name } : {}),
    ...(secret.kind === 'encrypted' ? { api_key: STORED } : {}),
    ...(Bun.deepEquals(models, usual.models) ? {} : { models: [...models] }),
  };
}

function alertEntries({ alerts, registry }: Office): AlertEntry[] {
  const entries = alerts.book.list().map((living) => {
    const { alert } = living;
    const workspace = registry.workspaces.get(alert.workspaceId)?.name ?? '';
    const project = alert.projectId === null ? null : (registry.projects.get(alert.projectId)?.name ?? null);
    return alertEntry(living, workspace, project);
  });
  const key = ({ workspace, project, name }: AlertEntry) => [workspace, project ?? '', name].join('\0');
  return entries.toSorted((a, b) => compare(key(a), key(b)));
}

function alertEntry({ alert, definition }: LivingAlert, workspace: string, project: string | null): AlertEntry {
  const { name, format, urlEnv, secretEnv, events, thresholds, provider } = definition;
  return {
    name,
    workspace,
    ...(project === null ? {} : { project }),
    format,
    ...(urlEnv === undefined ? { url: STORED } : { url_env: urlEnv }),
    ...(secretEnv === undefined ? (alert.sealedSecret === null ? {} : { secret: STORED }) : { secret_env: secretEnv }),
    ...(events.length === ALERT_EVENTS.length ? {} : { events: [...events] }),
    ...(Bun.deepEquals(thresholds, DEFAULT_THRESHOLDS) ? {} : { thresholds: [...thresholds] }),
    ...(provider.percent === DEFAULT_PROVIDER_RULE.percent ? {} : { failure_percent: provider.percent }),
    ...(provider.windowSeconds === DEFAULT_PROVIDER_RULE.windowSeconds ? {} : { failure_window_seconds: provider.windowSeconds }),
    ...(provider.minRequests === DEFAULT_PROVIDER_RULE.minRequests ? {} : { failure_min_requests: provider.minRequests }),
  };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
