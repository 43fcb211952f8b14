import { Elysia, type AnyElysia } from 'elysia';
import {
  alertOf,
  createAlert,
  deleteAlert,
  listAlerts,
  listDeliveries,
  testAlert,
  type AlertRequest,
  type LivingAlert,
  type StoredDelivery,
} from '../../operator/alerts.ts';
import type { Office } from '../../operator/office.ts';
import type { Registry } from '../../operator/registry.ts';
import type { Static } from '@sinclair/typebox';
import { iso, isoOrNull, listJson } from '../render.ts';
import * as schemas from '../schemas/operator.ts';
import { limitOf, type Visits } from './visit.ts';

/** Alerts and what they told. A webhook URL and a signing secret go in or are made, and are never shown again. */
export function alertRoutes(office: Office, visits: Visits): AnyElysia {
  const { registry } = office;
  return new Elysia()
    .get(
      '/alerts',
      ...visits.read({ operationId: 'list-alerts', reach: 'workspace', summary: 'List alerts', answer: schemas.AlertList }, ({ scope }) =>
        listJson(listAlerts(office, scope).map((living) => alertJson(registry, living))),
      ),
    )
    .post(
      '/alerts',
      ...visits.write(
        {
          operationId: 'create-alert',
          reach: 'workspace',
          summary: 'Watch for something and tell a webhook: the only answer that shows the signing secret',
          body: schemas.AlertInput,
          answer: schemas.NewAlert,
          success: 201,
          statuses: [409],
        },
        async ({ actor, scope, body }) => {
          const { made, secret } = await createAlert(office, scope, actor, requestOf(body));
          return { ...alertJson(registry, made), secret };
        },
      ),
    )
    .get(
      '/alerts/deliveries',
      ...visits.read(
        {
          operationId: 'list-alert-deliveries',
          reach: 'workspace',
          summary: 'What alerts told, have still to tell, or gave up, newest first',
          query: schemas.AlertDeliveryQuery,
          answer: schemas.AlertDeliveryList,
        },
        async ({ scope, query: { limit, ...question } }) => {
          const page = await listDeliveries(office, scope, question, limitOf(limit));
          const ids = new Map(listAlerts(office, scope).map(({ alert }) => [alert.id, alert.publicId]));
          return listJson(
            page.items.map((delivery) => deliveryJson(delivery, ids.get(delivery.alertId) ?? '')),
            page.nextCursor,
          );
        },
      ),
    )
    .get(
      '/alerts/:id',
      ...visits.read({ operationId: 'get-alert', reach: 'workspace', summary: 'One alert', answer: schemas.Alert }, ({ scope, id }) =>
        alertJson(registry, alertOf(office, scope, id)),
      ),
    )
    .post(
      '/alerts/:id/test',
      ...visits.write(
        {
          operationId: 'test-alert',
          reach: 'workspace',
          summary: 'Send a test event now, and say what became of it',
          answer: schemas.AlertTest,
        },
        async ({ actor, scope, id }) => {
          const { delivered, status, error } = await testAlert(office, scope, actor, id);
          return { delivered, status, error };
        },
      ),
    )
    .delete(
      '/alerts/:id',
      ...visits.write(
        { operationId: 'delete-alert', reach: 'workspace', summary: 'Remove an alert and wipe its secrets', success: 204 },
        ({ actor, scope, id }) => deleteAlert(office, scope, actor, id),
      ),
    );
}

function requestOf(body: Static<typeof schemas.AlertInput>): AlertRequest {
  return {
    name: body.name,
    url: body.url,
    format: body.format ?? 'generic',
    project: body.project ?? null,
    workspace: body.workspace ?? null,
    events: body.events ?? null,
    thresholds: body.thresholds ?? null,
    provider: {
      ...(body.failure_percent === undefined ? {} : { percent: body.failure_percent }),
      ...(body.failure_window_seconds === undefined ? {} : { windowSeconds: body.failure_window_seconds }),
      ...(body.failure_min_requests === undefined ? {} : { minRequests: body.failure_min_requests }),
    },
  };
}

function alertJson(registry: Registry, { alert, definition }: LivingAlert): schemas.AlertJson {
  const { name, events, thresholds, provider, format, origin } = definition;
  return {
    id: alert.publicId,
    name,
    workspace_id: registry.workspaces.get(alert.workspaceId)?.publicId ?? String(alert.workspaceId),
    project_id: alert.projectId === null ? null : (registry.projects.get(alert.projectId)?.publicId ?? null),
    events: [...events],
    thresholds: [...thresholds],
    failure_percent: provider.percent,
    failure_window_seconds: provider.windowSeconds,
    failure_min_requests: provider.minRequests,
    format,
    url: `${origin}/…`,
    created_at: iso(alert.createdAtMs),
  };
}

function deliveryJson(delivery: StoredDelivery, alertId: string): schemas.AlertDeliveryJson {
  return {
    id: delivery.publicId,
    alert_id: alertId,
    type: delivery.type,
    subject: delivery.subject,
    created_at: iso(delivery.createdAtMs),
    state: delivery.state,
    attempts: delivery.attempts,
    next_attempt_at: isoOrNull(delivery.nextAttemptAtMs),
    last_error: delivery.lastError,
    event: JSON.parse(delivery.payload) as Record<string, unknown>,
  };
}
