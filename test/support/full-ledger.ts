import { randomUUIDv7 } from 'bun';
import type { Decision } from '../../src/domain/decision.ts';
import type { PrunePlace } from '../../src/ledger/keep-store.ts';
import type { OpenLedger } from '../../src/ledger/sqlite/open-ledger.ts';
import type { RecordedDecision } from '../../src/ledger/store.ts';
import { allowed, always, candidate, denied, openSeeded, settlement } from '../ledger/harness.ts';

const AUTHOR = 'opr_1';
const AUDIT = { actor: AUTHOR, action: 'test.act', subject: 'prj_1', ip: '203.0.113.9', detail: { note: 'x' } };

/** Texts that are hard to keep as they are. */
const STRANGE = ['plain', 'nul \u0000 inside', 'alone \ud800 and \udc00', '\u{1f600}', 'quote " \\ud800 ,null', '\ufffd'];

/** A ledger in `dataDir` with several rows in every table of the chain, some of them pruned, and one request in flight that a start charges. */
export async function fullLedger(dataDir: string): Promise<void> {
  const opened = await openSeeded(dataDir);
  const { ledger, store } = opened;
  await someRequests(opened, 12);
  await someActs(opened, 'before');
  const beforeSeq = await store.lastSeq();
  await someRequests(opened, 6);
  let from: PrunePlace | null = null;
  for (let step = 0; step < 6; step++) from = (await store.prune({ beforeSeq, from, maxRows: 4 }, AUDIT))!.next;
  await someRequests(opened, 12);
  await someActs(opened, 'after');
  await ledger.admit(candidate(), 1, always(allowed()));
  await opened.close();
  await (await openSeeded(dataDir)).close();
}

/** Settled requests and denials, with every column set in some of them. */
export async function someRequests({ ledger, store }: OpenLedger, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const text = STRANGE[index % STRANGE.length]!;
    const facts = candidate({
      endUser: text,
      requestedModel: `asked ${text}`,
      models: index % 2 ? ['gpt-4.1-mini', `other-${index}`] : ['gpt-4.1-mini'],
      fingerprint: 0xfedc_ba98_7654_3210n + BigInt(index),
    });
    if (index % 4 === 3) await ledger.admit(facts, 1, always(denied({ observed: [denied().finding] })));
    else ledger.settle(settledIn(await ledger.admit(facts, 1, always(allowed({ outputCap: 100 + index }))), text, index));
  }
  await ledger.drain();
  const { items } = await store.listDecisions({ allowed: true }, null, 2);
  for (const recorded of items) await correct(store, recorded);
}

function settledIn(decision: Decision, text: string, index: number) {
  const { usage, ...rest } = settlement(decision, { responseId: `resp_${randomUUIDv7()}`, costNanoUsd: 1_000 + index });
  return { ...rest, usage: { ...usage!, toolCalls: { [text]: 2 }, providerCostNanoUsd: 2 ** 52 + index } };
}

async function correct(store: OpenLedger['store'], recorded: RecordedDecision): Promise<void> {
  if (recorded.settlement !== null) await store.correct(recorded, 77, `note ${STRANGE[2]}`, AUTHOR, AUDIT);
}

/** What operators do: a row in each table of the chain that they write. */
async function someActs({ store }: OpenLedger, name: string): Promise<void> {
  for (let turn = 0; turn < 2; turn++) {
    await store.savePolicy({ projectId: 1 }, `{"budgets":[],"note":"${name} ${turn}"}`, AUTHOR, AUDIT);
    await store.savePolicy({ workspaceId: 1 }, `{"note":"${name} ${turn}"}`, AUTHOR, AUDIT);
    await store.grantCredits(1, 5 + turn, `gift \u0000 ${name}`, AUTHOR, AUDIT);
    await store.setSentry({ projectId: 1 }, turn === 0, AUTHOR, AUDIT);
    await store.setPrice('openai', `model-${turn}`, turn === 0 ? '{"input":1}' : null, AUTHOR, AUDIT);
    await store.saveCatalogue(catalogue(`${name} ${turn}`), AUDIT);
  }
}

function catalogue(name: string) {
  const sha256 = new Bun.CryptoHasher('sha256').update(name).digest('hex');
  return {
    origin: 'refresh' as const,
    rolledBackTo: null,
    asOf: '2026-11-22',
    outranksUntil: '2026-11-22',
    pinned: false,
    sha256,
    models: 3,
    added: 1,
    removed: 0,
    changed: 0,
    lowered: 0,
    author: AUTHOR,
    document: new Uint8Array([1, 2, 3]),
  };
}
