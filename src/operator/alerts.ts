import { randomBytes } from 'node:crypto';
import { Refusal } from '../domain/errors.ts';
import { newPublicId } from '../domain/ids.ts';
import type { DeliveryCounts, DeliveryState, StoredDelivery } from '../ledger/alert-store.ts';
import type { Page } from '../ledger/store.ts';
import { checkWebhookUrl } from '../upstream/webhook-url.ts';
import type { WebhookOutcome } from '../upstream/webhook.ts';
import {
  ALERT_EVENTS,
  DEFAULT_PROVIDER_RULE,
  DEFAULT_THRESHOLDS,
  type AlertDefinition,
  type AlertEventName,
  type AlertFormat,
  type LivingAlert,
  type ProviderFailureRule,
} from './alerts/definition.ts';
import { payloadOf } from './alerts/payload.ts';
import { resealedAlert, sealOf } from './alerts/secrets.ts';
import { missing, projectOf, workspaceOf, workspacesIn } from './find.ts';
import { cursorOf } from './moment.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import { covers, type Scope } from './scope.ts';

export { ALERT_EVENTS, ALERT_FORMATS, type LivingAlert } from './alerts/definition.ts';
export { DELIVERY_STATES, type StoredDelivery } from '../ledger/alert-store.ts';

/** Enough for every team's channel; each alert is looked at with every event. */
const MAX_ALERTS = 100;
/** 32 bytes in hexadecimal behind this name. */
const SECRET_PREFIX = 'whsec_';

/** What a new alert is asked to be. What is left out takes its default: everything of the workspace is told. */
export interface AlertRequest {
  readonly name: string;
  readonly url: string;
  readonly format: AlertFormat;
  /** Name or id. With a project the workspace is the project's. */
  readonly project: string | null;
  readonly workspace: string | null;
  readonly events: readonly AlertEventName[] | null;
  readonly thresholds: readonly number[] | null;
  readonly provider: Partial<ProviderFailureRule>;
}

/** An alert that was just made, with what its messages are signed with: it can be seen only now. Null for Slack and Discord. */
export interface MadeAlert {
  readonly made: LivingAlert;
  readonly secret: string | null;
}

/** Alerts of the scope, oldest first. */
export function listAlerts({ alerts }: Office, scope: Scope): LivingAlert[] {
  return alerts.book.list().filter(({ alert }) => covers(scope, alert.workspaceId));
}

/** The alert with this id. Throws a Refusal when there is none. */
export function alertOf(office: Office, scope: Scope, id: string): LivingAlert {
  return listAlerts(office, scope).find(({ alert }) => alert.publicId === id) ?? missing('alert', id);
}

/** Makes an alert. What is true by now (a budget that is half spent) is told at once. Throws a Refusal that names the wrong field. */
export function createAlert(office: Office, scope: Scope, actor: Actor, request: AlertRequest): Promise<MadeAlert> {
  return office.turns.take('alerts', async () => {
    const owner = ownerOf(office, scope, request);
    if (office.alerts.book.list().length >= MAX_ALERTS)
      throw new Refusal('conflict', `There are ${MAX_ALERTS} alerts already. Remove one first.`);
    // Plain http reaches programs on this machine: that is for those who run it.
    const url = checkWebhookUrl(request.url, { allowHttp: office.allowHttpUpstream && scope.workspaceId === null });
    if (url instanceof Refusal) throw url;
    const publicId = newPublicId('alr');
    const definition = definitionOf(request, url);
    const secret = request.format === 'generic' ? `${SECRET_PREFIX}${randomBytes(32).toString('hex')}` : null;
    const { masterKey, store } = office;
    const audit = auditOf(actor, 'alert.create', publicId, { ...definition, ...owner.named });
    const alert = await store.createAlert(
      {
        publicId,
        workspaceId: owner.workspaceId,
        projectId: owner.projectId,
        definition: JSON.stringify(definition),
        sealedUrl: sealOf(url.href, publicId, 'url', masterKey),
        sealedSecret: secret === null ? null : sealOf(secret, publicId, 'secret', masterKey),
      },
      audit,
    );
    const made = office.alerts.book.put(alert);
    office.alerts.lookAtEverybody();
    return { made, secret };
  });
}

/** Removes an alert and wipes its secrets. What still waited to be told is given up. */
export async function deleteAlert(office: Office, scope: Scope, actor: Actor, id: string): Promise<void> {
  const { alert, definition } = alertOf(office, scope, id);
  await office.store.deleteAlert(alert.id, auditOf(actor, 'alert.delete', id, { name: definition.name }));
  office.alerts.book.drop(alert.id);
}

/** Sends a test event, now and once, and says what became of it. */
export async function testAlert(office: Office, scope: Scope, actor: Actor, id: string): Promise<WebhookOutcome> {
  const living = alertOf(office, scope, id);
  const { alert, definition } = living;
  const event = { type: 'test', workspaceId: alert.workspaceId, projectId: alert.projectId, facts: { name: definition.name } } as const;
  const payload = payloadOf(office.registry, living, event, office.engine.nowMs());
  const outcome = await office.turns.take(`alert test ${id}`, () => office.alerts.postman.sendNow(living, JSON.stringify(payload)));
  const { delivered, status, error } = outcome;
  await office.store.recordAudit(auditOf(actor, 'alert.test', id, { event: payload.id, delivered, status, error }));
  return outcome;
}

/** Which deliveries to list. */
export interface DeliveryQuestion {
  readonly alert?: string;
  readonly state?: DeliveryState;
  readonly cursor?: string;
}

/** What was told or is to be told, newest first. */
export async function listDeliveries(
  office: Office,
  scope: Scope,
  question: DeliveryQuestion,
  limit: number,
): Promise<Page<StoredDelivery>> {
  const { alert, state, cursor } = question;
  const alerts = alert === undefined ? listAlerts(office, scope) : [alertOf(office, scope, alert)];
  const filter = { alertIds: alerts.map((living) => living.alert.id), ...(state === undefined ? {} : { state }) };
  return await office.store.listDeliveries(filter, cursorOf(cursor), limit);
}

/** How alerts stand: how many there are, how many messages wait, and how many were given up. */
export interface AlertsStanding extends Pick<DeliveryCounts, 'pending' | 'failed'> {
  readonly alerts: number;
}

/** For a look at the whole: of all workspaces. */
export async function alertsStanding({ alerts, store }: Office): Promise<AlertsStanding> {
  const { pending, failed } = await store.deliveryCounts();
  return { alerts: alerts.book.list().length, pending, failed };
}

/** Seals the secrets of all alerts with the newest master key, and returns how many alerts that were. Throws `SecretError` when no key opens one. */
export function resealAlerts(office: Office): Promise<number> {
  return office.turns.take('alerts', async () => {
    const { book } = office.alerts;
    const pairs = book.all().flatMap(({ alert }) => {
      const resealed = resealedAlert(alert, office.masterKey);
      return resealed === null ? [] : [{ alert, resealed }];
    });
    if (pairs.length === 0) return 0;
    await office.store.resealAlerts(pairs.map(({ resealed }) => resealed));
    for (const { alert, resealed } of pairs) if (book.has(alert.id)) book.put({ ...alert, ...resealed });
    return pairs.length;
  });
}

function ownerOf({ registry }: Office, scope: Scope, { project, workspace }: AlertRequest) {
  if (project !== null && workspace !== null)
    throw new Refusal('invalid_value', 'Give project or workspace, not both.', { param: 'project' });
  if (project !== null) {
    const found = projectOf(registry, scope, project);
    return { workspaceId: found.workspaceId, projectId: found.id, named: { project: found.publicId } };
  }
  const found = workspace === null ? workspacesIn(registry, scope)[0]! : workspaceOf(registry, scope, workspace);
  return { workspaceId: found.id, projectId: null, named: { workspace: found.publicId } };
}

function definitionOf(request: AlertRequest, url: URL): AlertDefinition {
  const { name, format, events, thresholds, provider } = request;
  return {
    name,
    format,
    origin: url.origin,
    events: ALERT_EVENTS.filter((event) => events === null || events.includes(event)),
    thresholds: [...new Set(thresholds ?? DEFAULT_THRESHOLDS)].toSorted((a, b) => a - b),
    provider: { ...DEFAULT_PROVIDER_RULE, ...provider },
  };
}
