import { expect, test } from 'bun:test';
import type { Store } from '../../src/ledger/store.ts';
import { digestOf, packed, readDocument, takesOver } from '../../src/operator/catalogue-start.ts';

const stored = { origin: 'refresh', asOf: '2026-08-01', outranksUntil: '2026-08-01', pinned: false, sha256: 'stored' } as const;

test.each([
  ['a newer list of a newer binary', { day: '2026-09-01', sha256: 'own' }, stored, true],
  ['the list of the same day', { day: '2026-08-01', sha256: 'own' }, stored, false],
  ['an older list', { day: '2026-07-02', sha256: 'own' }, stored, false],
  ['a newer list than a pinned one', { day: '2026-09-01', sha256: 'own' }, { ...stored, pinned: true }, false],
  [
    'a refresh to prices of an older day, and a restart',
    { day: '2026-07-02', sha256: 'own' },
    { ...stored, asOf: '2026-01-01', outranksUntil: '2026-07-02' },
    false,
  ],
  ['the same list once more', { day: '2026-09-01', sha256: 'stored' }, stored, false],
  [
    'other prices of the same day, both from binaries',
    { day: '2026-08-01', sha256: 'own' },
    { ...stored, origin: 'embedded' as const },
    true,
  ],
  ['an older binary after a newer one', { day: '2026-07-02', sha256: 'own' }, { ...stored, origin: 'embedded' as const }, false],
])('%s', (_, own, newest, expected) => {
  expect(takesOver(own, newest)).toBe(expected);
});

test('a stored price list is read only as the one whose digest the ledger has', async () => {
  const listAt = (input: number) => ({
    providers: {
      openai: {
        models: { m: { price: { input, output: 2 }, limit: { context: 8, output: 4 }, modalities: { input: ['text'], output: ['text'] } } },
      },
    },
  });
  const storeWith = (document: Uint8Array) => ({ catalogueDocument: () => Promise.resolve(document) }) as unknown as Store;
  const list = listAt(5);
  expect(await readDocument(storeWith(packed(list)), digestOf(list))).toEqual(list);
  expect(await readDocument(storeWith(packed(listAt(1))), digestOf(list))).toBeNull();
});
