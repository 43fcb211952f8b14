import { Elysia, type AnyElysia } from 'elysia';
import { Refusal } from '../../domain/errors.ts';
import {
  listCatalogueVersions,
  refreshCatalogue,
  rollbackCatalogue,
  type CatalogueOrder,
  type CatalogueOutcome,
} from '../../operator/catalogues.ts';
import type { Office } from '../../operator/office.ts';
import { errorBody } from '../errors.ts';
import { iso, listJson } from '../render.ts';
import * as schemas from '../schemas/operator-catalogue.ts';
import type { CatalogueReportJson, CatalogueVersionJson } from '../schemas/operator.ts';
import type { Visits } from './visit.ts';

/** A list of ten thousand models has about 2 MB. */
const BODY_BYTES = 8 * 1024 * 1024;
const MOST_CHANGES = 1_000;

/** The whole price list: another one, the versions, and the way back. */
export function catalogueRoutes(office: Office, visits: Visits): AnyElysia {
  return new Elysia()
    .post(
      '/prices/catalogue',
      ...visits.write(
        {
          operationId: 'refresh-prices',
          summary: 'Put a new price list into force; what makes holds smaller has to be confirmed',
          body: schemas.CatalogueInput,
          bodyBytes: BODY_BYTES,
          answer: schemas.CatalogueReport,
          statuses: [409],
        },
        async ({ actor, body: { document, pin = false, ...rest } }) =>
          answerOf(await refreshCatalogue(office, actor, document, orderOf({ ...rest, pin }))),
      ),
    )
    .get(
      '/prices/catalogue/versions',
      ...visits.read(
        {
          operationId: 'list-price-versions',
          summary: 'Every version of the price list, newest first',
          answer: schemas.CatalogueVersionList,
        },
        async () => listJson((await listCatalogueVersions(office)).map(versionJson)),
      ),
    )
    .post(
      '/prices/catalogue/rollback',
      ...visits.write(
        {
          operationId: 'roll-back-prices',
          summary: 'Put an earlier price list into force again; what makes holds smaller has to be confirmed',
          body: schemas.RollbackInput,
          isBodyOptional: true,
          answer: schemas.CatalogueReport,
          statuses: [409],
        },
        async ({ actor, body: { to, ...rest } }) => answerOf(await rollbackCatalogue(office, actor, to ?? null, orderOf(rest))),
      ),
    );
}

function orderOf(flags: { readonly confirm?: boolean; readonly dry_run?: boolean; readonly pin?: boolean }): CatalogueOrder {
  return { confirmed: flags.confirm === true, dryRun: flags.dry_run === true, pinned: flags.pin === true };
}

/** Without a yes the answer is an error like every other, with the list beside it. */
function answerOf(outcome: CatalogueOutcome): CatalogueReportJson | Response {
  const report = reportJson(outcome);
  if (outcome.kind !== 'unconfirmed') return report;
  const refusal = new Refusal(
    'conflict',
    `This price list makes holds smaller for ${report.lowered} names, the first of them ${firstLowered(report)}. ` +
      'If the figures are right, repeat it with "confirm": true (CLI: --yes).',
  );
  const body = errorBody(refusal, null).replace(/\}$/, `,"report":${JSON.stringify(report)}}`);
  return new Response(body, { status: refusal.status, headers: { 'content-type': 'application/json', 'x-should-retry': 'false' } });
}

function firstLowered({ changes: [first] }: CatalogueReportJson): string {
  return first === undefined ? '' : `${first.provider}/${first.model} (${first.lowers})`;
}

function reportJson({ kind, diff, version, asOf }: CatalogueOutcome): CatalogueReportJson {
  const { models, added, removed, changed, changes } = diff;
  const lowered = changes.filter(({ lowers }) => lowers !== null).length;
  const shown = changes
    .slice(0, MOST_CHANGES)
    .map(({ provider, model, change, lowers, fields }) => ({ provider, model, change, lowers, fields: [...fields] }));
  return { outcome: kind, version: version.seq, as_of: asOf, models, added, removed, changed, lowered, changes: shown };
}

function versionJson(version: Awaited<ReturnType<typeof listCatalogueVersions>>[number], index: number): CatalogueVersionJson {
  const { seq, atMs, origin, rolledBackTo, asOf, pinned, models, added, removed, changed, lowered, author, kept } = version;
  const counts = { models, added, removed, changed, lowered };
  const provenance = { version: seq, at: iso(atMs), origin, rolled_back_to: rolledBackTo, as_of: asOf, pinned };
  return { ...provenance, ...counts, author, kept, in_force: index === 0 };
}
