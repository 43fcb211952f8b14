import { join } from 'node:path';
import { describe, expect, test } from 'bun:test';
import { Glob } from 'bun';
import models from '../../db/models.json';
import type { Route } from '../../src/domain/candidate.ts';
import { effectiveCap, holdFor } from '../../src/domain/hold.ts';
import type { ProviderKind } from '../../src/domain/project.ts';
import { NO_USAGE, type Usage } from '../../src/domain/usage.ts';
import { Catalogue } from '../../src/pricing/catalogue.ts';
import { costOf, ratesFor } from '../../src/pricing/cost.ts';
import { profileOf } from '../../src/pricing/profiles.ts';
import { makeQuote } from '../../src/pricing/quote.ts';
import { factsOf, pricingRules } from '../support/facts.ts';

interface Shape {
  readonly why: string;
  readonly kind: ProviderKind;
  readonly route: Route;
  readonly body: Record<string, unknown>;
  readonly usage: Partial<Usage>;
}

const FOLDER = join(import.meta.dir, '..', 'fixtures', 'pricing');
const catalogue = Catalogue.parse(models);
const rules = pricingRules({ toolPrices: { code_interpreter: 30_000_000 } });
const files = [...new Glob('*.json').scanSync(FOLDER)].sort();

describe('requests that are billed more than they look', () => {
  test('are all here', () => {
    expect(files.length).toBeGreaterThanOrEqual(12);
  });

  test.each(files)('%s', async (file) => {
    const { kind, route, body, usage } = (await Bun.file(join(FOLDER, file)).json()) as Shape;
    const facts = factsOf(route, body);
    const reach = [catalogue.resolve(kind, null, facts.model)];
    const profile = profileOf(kind);
    const quote = makeQuote(facts, reach, profile, rules, catalogue.version);
    const full = { ...NO_USAGE, ...usage };
    expect(quote.priced).toBe(true);
    expect(quote.inputTokenBound).toBeGreaterThanOrEqual(Math.ceil(full.inputTokens * 1.4));
    expect(holdFor(quote, effectiveCap(quote))).toBeGreaterThanOrEqual(costOf(full, ratesFor(reach, facts, profile, rules)));
  });
});
