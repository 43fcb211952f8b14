import { Elysia, type AnyElysia } from 'elysia';
import type { Office } from '../operator/office.ts';
import { alertRoutes } from './operator/alerts.ts';
import { backupRoutes } from './operator/backups.ts';
import { configurationRoutes } from './operator/configuration.ts';
import { decisionRoutes } from './operator/decisions.ts';
import { doctorRoutes } from './operator/doctor.ts';
import { evidenceRoutes } from './operator/evidence.ts';
import { exportRoutes } from './operator/exports.ts';
import { keyRoutes } from './operator/keys.ts';
import { ledgerRoutes } from './operator/ledger.ts';
import { masterKeyRoutes } from './operator/master-key.ts';
import { operatorAccountRoutes } from './operator/operators.ts';
import { policyRoutes } from './operator/policies.ts';
import { priceRoutes } from './operator/prices.ts';
import { projectRoutes } from './operator/projects.ts';
import { providerRoutes } from './operator/providers.ts';
import { replayRoutes } from './operator/replay.ts';
import { reportRoutes } from './operator/reports.ts';
import { sentryRoutes } from './operator/sentry.ts';
import { tailRoutes } from './operator/tail.ts';
import { Visits } from './operator/visit.ts';
import { workspaceRoutes } from './operator/workspaces.ts';

const NOUNS = [
  workspaceRoutes,
  projectRoutes,
  sentryRoutes,
  policyRoutes,
  configurationRoutes,
  keyRoutes,
  providerRoutes,
  decisionRoutes,
  tailRoutes,
  evidenceRoutes,
  priceRoutes,
  operatorAccountRoutes,
  masterKeyRoutes,
  ledgerRoutes,
  doctorRoutes,
  backupRoutes,
  exportRoutes,
  reportRoutes,
  alertRoutes,
] as const;

/** The operator API, one file per noun. Every route is made by `Visits`, so none is without its check of who asks. */
export function operatorRoutes(office: Office): AnyElysia {
  const visits = new Visits(office);
  const api: AnyElysia = new Elysia({ name: 'operator', prefix: '/admin/v1' });
  for (const noun of NOUNS) api.use(noun(office, visits));
  api.use(replayRoutes(office, visits, office.replays));
  return api;
}
