import { expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { verifyFile } from '../../src/ledger/sqlite/verify.ts';
import { TEST_SEAL_KEYS } from '../support/seal-keys.ts';
import { allowed, always, candidate, denied, openSeeded, settlement, temporaryDirectory } from './harness.ts';

/** What could be taken for the end of a text, of a row or of a batch, and what has no place in UTF-8. */
const PARTS = [
  '\u2028',
  '\ud83d',
  '\ude00',
  '\u{1f600}',
  '\u0000',
  '\n',
  ',\n[',
  ']\n',
  '"',
  '\\',
  '\\ud800',
  ',null',
  ',',
  ':',
  '\ufeff',
  'é',
];
const anyText = fc.oneof(fc.string({ unit: fc.constantFrom(...PARTS), maxLength: 6 }), fc.string({ unit: 'binary', maxLength: 20 }));
const anyRequest = fc.record({
  endUser: fc.option(anyText.filter((text) => text !== '')),
  models: fc.array(anyText, { minLength: 1, maxLength: 3 }),
  responseId: fc.option(anyText),
  flags: fc.array(anyText, { maxLength: 2 }),
  message: anyText,
  costNanoUsd: fc.constantFrom(0, -0, 1, 2 ** 31, 2 ** 45),
  isDenied: fc.boolean(),
});

test('whatever clients and providers write, the file verifies and a start knows the same of it', async () => {
  using directory = temporaryDirectory();
  const requests = fc.sample(anyRequest, { numRuns: 150, seed: 20_261_123 });
  const long = PARTS.join('').repeat(3_000);
  requests.push({ endUser: long, models: [long], responseId: long, flags: [long], message: long, costNanoUsd: 7, isDenied: false });
  const refused: string[] = [];
  const events = { onRefusedRow: (_: number, message: string) => void refused.push(message), onHealth: () => {} };
  const first = await openSeeded(directory.path, { events });
  const nobody = { environmentTest: false, workspaceId: 1, projectId: 1, keyId: 1, endUser: null, sender: null };
  await Promise.all(
    requests.map(async ({ endUser, models, responseId, flags, message, costNanoUsd, isDenied }) => {
      const facts = candidate({
        endUser: endUser?.toWellFormed() ?? null,
        model: models[0]!,
        models,
        requestedModel: message,
        storedReferences: flags,
      });
      const verdict = isDenied ? denied({ finding: { ...denied().finding, message } }) : allowed();
      const decision = await first.ledger.admit(facts, 1, always(verdict));
      const usage = { ...settlement(decision).usage!, flags };
      if (!isDenied) first.ledger.settle(settlement(decision, { usage, responseId, costNanoUsd }));
    }),
  );
  await first.ledger.drain();
  const nowMs = first.ledger.nowMs();
  await first.close();
  expect(refused).toEqual([]);
  expect(verifyFile(ledgerPath(directory.path), { sealKeys: TEST_SEAL_KEYS }).findings).toEqual([]);

  const second = await openSeeded(directory.path);
  const spentBy = (memory: typeof first.memory, endUser: string | null): number =>
    memory.spentWithin('user', { ...nobody, endUser }, 3_600_000, nowMs);
  expect(spentBy(second.memory, null)).toBe(spentBy(first.memory, null));
  for (const { endUser } of requests) {
    const name = endUser?.toWellFormed() ?? null;
    expect(spentBy(second.memory, name)).toBe(spentBy(first.memory, name));
  }
  await second.close();
});
