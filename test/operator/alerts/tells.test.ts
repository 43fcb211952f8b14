import { describe, expect, test } from 'bun:test';
import { livingAlert, type AlertDefinition } from '../../../src/operator/alerts/definition.ts';
import { tells, type AlertEvent, type EventType } from '../../../src/operator/alerts/event.ts';

const DEFINITION: AlertDefinition = {
  name: 'ops',
  events: ['budget', 'sentry', 'ledger', 'volume'],
  thresholds: [50, 80],
  format: 'generic',
  origin: 'https://alerts.example.com',
  provider: { percent: 50, windowSeconds: 300, minRequests: 10 },
};
const alertOf = (workspaceId: number, projectId: number | null) =>
  livingAlert({
    id: 1,
    publicId: 'alr_1',
    workspaceId,
    projectId,
    definition: JSON.stringify(DEFINITION),
    sealedUrl: null,
    sealedSecret: null,
    createdAtMs: 1_000,
  });
const eventOf = (type: EventType, workspaceId: number | null, projectId: number | null, over: Partial<AlertEvent> = {}): AlertEvent => ({
  type,
  subject: 's',
  workspaceId,
  projectId,
  dedupeKey: 'k',
  happenedAtMs: null,
  facts: {},
  ...over,
});
const passing = (percent: number) => ({ facts: { threshold_percent: percent } });

const OF_WORKSPACE = alertOf(1, null);
const OF_PROJECT = alertOf(1, 7);

describe('who is told what', () => {
  test.each([
    ['a project of the workspace', OF_WORKSPACE, eventOf('sentry.on', 1, 7), true],
    ['the workspace itself', OF_WORKSPACE, eventOf('budget.threshold', 1, null, passing(50)), true],
    ['another workspace', OF_WORKSPACE, eventOf('sentry.on', 2, null), false],
    ['a project of another workspace', OF_WORKSPACE, eventOf('budget.threshold', 2, 9, passing(50)), false],
    ['the server', OF_WORKSPACE, eventOf('ledger.unavailable', null, null), true],
    ['its project', OF_PROJECT, eventOf('budget.threshold', 1, 7, passing(80)), true],
    ['a threshold that it did not choose', OF_PROJECT, eventOf('budget.threshold', 1, 7, passing(100)), false],
    ['another project', OF_PROJECT, eventOf('budget.threshold', 1, 8, passing(80)), false],
    ['another project with Sentry Mode', OF_PROJECT, eventOf('sentry.on', 1, 8), false],
    ['a budget of its workspace', OF_PROJECT, eventOf('budget.threshold', 1, null, passing(50)), false],
    ['Sentry Mode of its workspace, which stops it too', OF_PROJECT, eventOf('sentry.off', 1, null), true],
    ['Sentry Mode of another workspace', OF_PROJECT, eventOf('sentry.off', 2, null), false],
    ['the volume of its workspace', OF_PROJECT, eventOf('volume.threshold', 1, null, passing(80)), false],
    ['what it does not watch', OF_PROJECT, eventOf('request.overrun', 1, 7), false],
    ['what happened before it was made', OF_PROJECT, eventOf('sentry.on', 1, 7, { happenedAtMs: 999 }), false],
    ['what happened since', OF_PROJECT, eventOf('sentry.on', 1, 7, { happenedAtMs: 1_000 }), true],
  ])('%s', (_, alert, event, isTold) => {
    expect(tells(alert, event)).toBe(isTold);
  });
});
