import { newPublicId } from '../../domain/ids.ts';
import type { NewDelivery } from '../../ledger/alert-store.ts';
import type { Registry } from '../registry.ts';
import type { LivingAlert } from './definition.ts';
import type { AlertEvent, EventPayload, Fact } from './event.ts';
import { plain, sentenceOf } from './sentence.ts';

/** An event as a row of the outbox, for one alert. */
export function deliveryOf(registry: Registry, living: LivingAlert, event: AlertEvent, nowMs: number): NewDelivery {
  const payload = payloadOf(registry, living, event, event.happenedAtMs ?? nowMs);
  return {
    publicId: payload.id,
    alertId: living.alert.id,
    dedupeKey: event.dedupeKey,
    type: event.type,
    subject: event.subject,
    payload: JSON.stringify(payload),
    createdAtMs: nowMs,
    state: 'pending',
    attempts: 0,
    nextAttemptAtMs: nowMs,
    lastError: null,
  };
}

/** What is sent and stored of an event. Holds names and figures, never a secret, a prompt or an answer. */
export function payloadOf(
  registry: Registry,
  { alert, definition }: LivingAlert,
  event: Pick<AlertEvent, 'workspaceId' | 'projectId' | 'facts'> & { readonly type: EventPayload['type'] },
  atMs: number,
): EventPayload {
  const workspace = event.workspaceId === null ? undefined : registry.workspaces.get(event.workspaceId);
  const project = event.projectId === null ? undefined : registry.projects.get(event.projectId);
  const facts = Object.fromEntries(Object.entries(event.facts).map(([name, fact]) => [name, clean(fact)]));
  const told = { workspace: workspace?.name ?? null, project: project?.name ?? null, facts };
  return {
    id: newPublicId('evt'),
    type: event.type,
    at: new Date(atMs).toISOString(),
    alert: { id: alert.publicId, name: definition.name },
    workspace: workspace ? { id: workspace.publicId, name: workspace.name } : null,
    project: project ? { id: project.publicId, name: project.name } : null,
    message: sentenceOf(event.type, told, plain),
    ...facts,
  };
}

function clean(fact: Fact): Fact {
  return typeof fact === 'string' ? plain(fact) : fact;
}
