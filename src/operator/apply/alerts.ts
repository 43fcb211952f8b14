import { Refusal } from '../../domain/errors.ts';
import { newPublicId } from '../../domain/ids.ts';
import { checkWebhookUrl } from '../../upstream/webhook-url.ts';
import { ALERT_EVENTS, DEFAULT_PROVIDER_RULE, DEFAULT_THRESHOLDS, type AlertDefinition, type LivingAlert } from '../alerts/definition.ts';
import { sealOf } from '../alerts/secrets.ts';
import { alertSecret, type AlertSecretPlan } from './alert-secrets.ts';
import type { AlertEntry } from './document.ts';
import { plainChanges, type Draft, type PlannedWorkspace } from './plan.ts';
import { wrong } from './read.ts';
import { workspaceAt } from './workspaces.ts';

/** What an alert belongs to: a project, or the whole workspace. */
interface AlertOwner {
  readonly workspace: PlannedWorkspace;
  readonly project: { readonly publicId: string; readonly name: string } | null;
}

/** Alerts of the file. One is known by its name within its project or workspace. */
export function planAlerts(draft: Draft): void {
  if (draft.file.alerts === undefined) return;
  const named = new Set<string>();
  const kept = new Set<number>();
  for (const [index, entry] of draft.file.alerts.entries()) {
    const path = `alerts.${index}`;
    const owner = ownerAt(draft, path, entry);
    const name = nameOf(owner, entry.name);
    if (named.has(name)) throw wrong(`${path}.name`, `The alert ${JSON.stringify(name)} stands twice in the file.`);
    named.add(name);
    const existing = existingAlert(draft, path, owner, entry.name);
    if (existing === null) planNew(draft, path, owner, entry);
    else planChange(draft, path, owner, entry, existing);
    if (existing !== null) kept.add(existing.alert.id);
  }
  for (const living of draft.office.alerts.book.list()) if (!kept.has(living.alert.id)) planAbsent(draft, living);
}

/** `workspace/project/alert`, or without the project. */
export function nameOf({ workspace, project }: AlertOwner, alert: string): string {
  return [workspace.name, ...(project === null ? [] : [project.name]), alert].join('/');
}

function ownerAt(draft: Draft, path: string, entry: AlertEntry): AlertOwner {
  const workspace = workspaceAt(draft, path, entry.workspace);
  if (entry.project === undefined) return { workspace, project: null };
  const planned = draft.projects.find((project) => project.name === entry.project && project.workspace.publicId === workspace.publicId);
  const standing = [...draft.office.registry.projects.values()].find(
    (project) => project.name === entry.project && project.workspaceId === workspace.existing?.id,
  );
  const project = planned ?? standing;
  if (project === undefined)
    throw wrong(`${path}.project`, `There is no project ${JSON.stringify(entry.project)} in the workspace ${workspace.name}.`);
  return { workspace, project };
}

function existingAlert(draft: Draft, path: string, owner: AlertOwner, name: string): LivingAlert | null {
  const { alerts, registry } = draft.office;
  const all = alerts.book.list().filter(({ alert, definition }) => {
    const project = alert.projectId === null ? null : (registry.projects.get(alert.projectId)?.publicId ?? null);
    return definition.name === name && alert.workspaceId === owner.workspace.existing?.id && project === (owner.project?.publicId ?? null);
  });
  if (all.length > 1)
    throw wrong(`${path}.name`, `There are ${all.length} alerts of this name: remove all but one with panicly alerts remove ID.`);
  return all[0] ?? null;
}

function planNew(draft: Draft, path: string, owner: AlertOwner, entry: AlertEntry): void {
  const publicId = newPublicId('alr');
  const { url, secret } = secretsOf(draft, path, entry, null);
  const definition = definitionOf(draft, path, entry, url, null);
  draft.create({
    noun: 'alert',
    name: nameOf(owner, entry.name),
    fields: plainChanges({}, shown(definition, secret)),
    notes: notesOf(entry, secret),
  });
  const { masterKey } = draft.office;
  const alert = {
    publicId,
    workspace: owner.workspace.publicId,
    project: owner.project?.publicId ?? null,
    definition: JSON.stringify(definition),
    sealedUrl: sealOf(url.value!, publicId, 'url', masterKey),
    sealedSecret: secret.value === null ? null : sealOf(secret.value, publicId, 'secret', masterKey),
  };
  const belongs = owner.project === null ? { workspace: owner.workspace.publicId } : { project: owner.project.publicId };
  draft.step({ do: 'createAlert', alert }, 'alert.create', publicId, { ...definition, ...belongs });
}

function planChange(draft: Draft, path: string, owner: AlertOwner, entry: AlertEntry, existing: LivingAlert): void {
  const { alert, definition: before } = existing;
  const { url, secret } = secretsOf(draft, path, entry, existing);
  const definition = definitionOf(draft, path, entry, url, before);
  const had = { standing: alert.sealedSecret !== null };
  const fields = [
    ...plainChanges(shown(before, had), shown(definition, secret)),
    ...(url.changes ? [{ path: 'url', after: 'another address', loosens: false }] : []),
    ...(secret.changes && secret.standing ? [{ path: 'secret', after: 'another secret', loosens: false }] : []),
  ];
  const name = nameOf(owner, entry.name);
  const wipes = alert.sealedSecret !== null && secret.value === null && secret.changes;
  const confirm = wipes ? [`wipe the signing secret of the alert ${name}`] : [];
  draft.change({ noun: 'alert', name, fields, confirm, notes: fields.length === 0 ? [] : notesOf(entry, secret) });
  if (fields.length === 0) return;
  const { masterKey } = draft.office;
  const sealedSecret = secret.value === null ? null : sealOf(secret.value, alert.publicId, 'secret', masterKey);
  const change = {
    definition: JSON.stringify(definition),
    ...(url.changes ? { sealedUrl: sealOf(url.value!, alert.publicId, 'url', masterKey) } : {}),
    ...(secret.changes ? { sealedSecret } : {}),
  };
  draft.step({ do: 'updateAlert', id: alert.id, change }, 'alert.update', alert.publicId, { before, after: definition });
}

function planAbsent(draft: Draft, { alert, definition }: LivingAlert): void {
  const { registry } = draft.office;
  const workspace = registry.workspaces.get(alert.workspaceId);
  const project = alert.projectId === null ? null : (registry.projects.get(alert.projectId) ?? null);
  const owner = { workspace: { name: workspace?.name ?? '', publicId: '', existing: null }, project };
  const name = nameOf(owner, definition.name);
  const confirm = `remove the alert ${name} and wipe its address`;
  draft.absent({ noun: 'alert', name, removable: true, confirm }, { do: 'deleteAlert', id: alert.id }, 'alert.delete', alert.publicId);
}

function secretsOf(draft: Draft, path: string, entry: AlertEntry, existing: LivingAlert | null) {
  const url = alertSecret(draft.office, path, 'url', entry, existing);
  const secret = alertSecret(draft.office, path, 'secret', entry, existing);
  if (url.value === null) throw wrong(`${path}.url_env`, 'Name the variable of the server that holds the address of the webhook.');
  const format = entry.format ?? 'generic';
  if (secret.value !== null && format !== 'generic')
    throw wrong(`${path}.format`, `Messages of the format ${format} are not signed: leave the secret out.`);
  return { url, secret };
}

function definitionOf(
  draft: Draft,
  path: string,
  entry: AlertEntry,
  url: AlertSecretPlan,
  before: AlertDefinition | null,
): AlertDefinition {
  return {
    name: entry.name,
    format: entry.format ?? 'generic',
    origin: before !== null && !url.changes ? before.origin : originOf(draft, path, url.value!),
    events: ALERT_EVENTS.filter((event) => entry.events === undefined || entry.events.includes(event)),
    thresholds: [...new Set(entry.thresholds ?? DEFAULT_THRESHOLDS)].toSorted((a, b) => a - b),
    provider: {
      percent: entry.failure_percent ?? DEFAULT_PROVIDER_RULE.percent,
      windowSeconds: entry.failure_window_seconds ?? DEFAULT_PROVIDER_RULE.windowSeconds,
      minRequests: entry.failure_min_requests ?? DEFAULT_PROVIDER_RULE.minRequests,
    },
    ...(entry.url_env === undefined ? {} : { urlEnv: entry.url_env }),
    ...(entry.secret_env === undefined ? {} : { secretEnv: entry.secret_env }),
  };
}

function originOf(draft: Draft, path: string, text: string): string {
  const url = checkWebhookUrl(text, { allowHttp: draft.office.allowHttpUpstream });
  if (url instanceof Refusal) throw wrong(`${path}.url_env`, url.message);
  return url.origin;
}

/** What may be shown of an alert: of its address only the origin. */
function shown(definition: AlertDefinition, secret: Pick<AlertSecretPlan, 'standing'>) {
  const { provider, urlEnv, secretEnv, format, origin, events, thresholds } = definition;
  return {
    format,
    url: `${origin}/…`,
    ...(urlEnv === undefined ? {} : { url_env: urlEnv }),
    signed: secret.standing,
    ...(secretEnv === undefined ? {} : { secret_env: secretEnv }),
    events,
    thresholds,
    failure_percent: provider.percent,
    failure_window_seconds: provider.windowSeconds,
    failure_min_requests: provider.minRequests,
  };
}

function notesOf({ format }: AlertEntry, secret: Pick<AlertSecretPlan, 'value'>): string[] {
  return (format ?? 'generic') === 'generic' && secret.value === null
    ? ['Its messages are not signed: name a variable with secret_env.']
    : [];
}
