import { Refusal } from '../domain/errors.ts';
import type { CatalogueVersion, ListedCatalogue, NewCatalogue } from '../ledger/catalogue-store.ts';
import { CatalogueProblem, checkDocument, dayOf, type RawCatalogue } from '../pricing/check-document.ts';
import { Catalogue } from '../pricing/catalogue.ts';
import { compareCatalogues, type CatalogueDiff } from './catalogue-diff.ts';
import { countsOf, digestOf, packed, readDocument } from './catalogue-start.ts';
import { auditOf, type Actor, type Office } from './office.ts';
import type { UnknownModelPrice } from './price-change.ts';

const DAY_MS = 86_400_000;

/** How a change of the price list is asked for. */
export interface CatalogueOrder {
  /** Says yes to what makes holds smaller. */
  readonly confirmed: boolean;
  /** Only looks at what it would change. */
  readonly dryRun: boolean;
  /** Keeps the list also when a newer binary carries a newer one. */
  readonly pinned: boolean;
}

/** What became of it. `unconfirmed`: nothing was changed, because holds would get smaller and nobody said yes. */
export interface CatalogueOutcome {
  readonly kind: 'applied' | 'dry_run' | 'unchanged' | 'unconfirmed';
  readonly diff: CatalogueDiff;
  /** The version in force afterwards. */
  readonly version: CatalogueVersion;
  /** The day of the list that was offered. */
  readonly asOf: string;
}

/**
 * Puts a new price list into force: from the next request on, what is in flight keeps its rates. Throws a Refusal that names the field
 * when the document is no price list.
 */
export function refreshCatalogue(office: Office, actor: Actor, document: unknown, order: CatalogueOrder): Promise<CatalogueOutcome> {
  const raw = checkedDocument(document);
  const asOf = checkedDay(raw, office.engine.nowMs());
  const { embeddedDay } = office.prices;
  const what = { origin: 'refresh', rolledBackTo: null, asOf, outranksUntil: asOf > embeddedDay ? asOf : embeddedDay } as const;
  return office.turns.take('prices', () => change(office, actor, raw, what, order));
}

/** Puts the content of an earlier version into force again, as a new version; without `to` the one before. It stays until somebody refreshes it. */
export function rollbackCatalogue(office: Office, actor: Actor, to: number | null, order: CatalogueOrder): Promise<CatalogueOutcome> {
  return office.turns.take('prices', async () => {
    const target = targetOf(await office.store.listCatalogues(), to);
    const raw = await readDocument(office.store, target.sha256);
    if (raw === null) throw new Refusal('conflict', `The document of version ${target.seq} cannot be read any more.`);
    const { asOf, outranksUntil, seq } = target;
    const what = { origin: 'rollback', rolledBackTo: target.rolledBackTo ?? seq, asOf, outranksUntil } as const;
    return await change(office, actor, raw, what, { ...order, pinned: true });
  });
}

/** Every version of the price list, newest first. The first is in force. */
export function listCatalogueVersions(office: Office): Promise<readonly ListedCatalogue[]> {
  return office.store.listCatalogues();
}

type Provenance = Pick<NewCatalogue, 'origin' | 'rolledBackTo' | 'asOf' | 'outranksUntil'>;

async function change(
  office: Office,
  actor: Actor,
  raw: RawCatalogue,
  what: Provenance,
  { confirmed, dryRun, pinned }: CatalogueOrder,
): Promise<CatalogueOutcome> {
  const { prices } = office;
  const { version: before } = prices.list;
  const sha256 = digestOf(raw);
  const offered = Catalogue.parse(raw, 0);
  const diff = compareCatalogues(prices.current, prices.previewList(offered), unknownPrices(office));
  const counts = countsOf(diff, offered);
  const outcome = { diff, version: before, asOf: what.asOf };
  if (dryRun) return { ...outcome, kind: 'dry_run' };
  if (sha256 === before.sha256 && pinned === before.pinned) return { ...outcome, kind: 'unchanged' };
  if (counts.lowered > 0 && !confirmed) return { ...outcome, kind: 'unconfirmed' };
  const audit = auditOf(actor, `prices.${what.origin}`, 'prices', {
    ...counts,
    as_of: what.asOf,
    pinned,
    rolled_back_to: what.rolledBackTo,
  });
  const version = await office.store.saveCatalogue({ ...counts, ...what, pinned, sha256, document: packed(raw), author: actor.id }, audit);
  prices.putList({ catalogue: Catalogue.parse(raw, version.seq), version });
  return { ...outcome, kind: 'applied', version };
}

/** What policies hold for models without a price: there a known price may be the lower one. */
function unknownPrices({ directory }: Office): UnknownModelPrice[] {
  const prices = [...directory.projects()].flatMap(({ policy }) => policy.pricing.unknownModelPrice ?? []);
  return [...new Map(prices.map((price) => [`${price.input} ${price.output}`, price])).values()];
}

function checkedDocument(document: unknown): RawCatalogue {
  try {
    const raw = checkDocument(document);
    // What only shows when the lists are put together.
    Catalogue.parse(raw, 0);
    return raw;
  } catch (error) {
    if (!(error instanceof CatalogueProblem)) throw error;
    throw new Refusal('invalid_value', `This is no price list: ${error.message}. Its form is that of db/models.json.`, {
      param: `document.${error.path}`,
    });
  }
}

/** The day of the prices; today where the document names none. A day to come would outrank every list there will be. */
function checkedDay(raw: RawCatalogue, nowMs: number): string {
  const today = new Date(nowMs).toISOString().slice(0, 10);
  const day = dayOf(raw) ?? today;
  if (Date.parse(day) > nowMs + DAY_MS)
    throw new Refusal('invalid_value', `The prices are of ${day}, which is still to come.`, { param: 'document.as_of' });
  return day;
}

function targetOf(versions: readonly ListedCatalogue[], to: number | null): ListedCatalogue {
  const [current] = versions;
  const asked = to === null ? versionBefore(versions) : versions.find(({ seq }) => seq === to);
  if (asked === undefined)
    throw new Refusal(
      to === null ? 'conflict' : 'unknown_resource',
      to === null ? 'There is no earlier price list.' : `There is no version ${to} of the price list.`,
    );
  if (!asked.kept) throw new Refusal('conflict', `The document of version ${asked.seq} is not kept any more.`);
  if (asked.sha256 === current?.sha256) throw new Refusal('conflict', `Version ${asked.seq} is what is in force.`);
  return asked;
}

/** Before what is in force, counted from where a rollback went: two rollbacks go back two versions. */
function versionBefore(versions: readonly ListedCatalogue[]): ListedCatalogue | undefined {
  const [current] = versions;
  if (current === undefined) return undefined;
  const from = current.rolledBackTo ?? current.seq;
  return versions.find(({ seq, origin, sha256 }) => seq < from && origin !== 'rollback' && sha256 !== current.sha256);
}
