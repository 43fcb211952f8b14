import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { allowed, always, candidate, openSeeded, settlement, temporaryDirectory } from './harness.ts';

const REQUESTS = 10_000;

test('a decision with its settlement and indexes takes less than 500 bytes', async () => {
  using directory = temporaryDirectory();
  const { ledger, close } = await openSeeded(directory.path);
  const before = tableBytes(directory.path);
  for (let done = 0; done < REQUESTS; done += 500) {
    const admissions = Array.from({ length: 500 }, (_, index) => {
      const facts = candidate({
        ip: `203.0.113.${index % 256}`,
        endUser: index % 2 ? `customer-${index}` : null,
        fingerprint: BigInt(index) << 48n,
      });
      return ledger.admit(facts, 12, always(allowed()));
    });
    for (const decision of await Promise.all(admissions)) ledger.settle(settlement(decision));
  }
  await close();
  const bytes = (tableBytes(directory.path) - before) / REQUESTS;
  const chainBytes = tableBytes(directory.path, "'chain_links'") / REQUESTS;
  console.log(`a decision with its settlement and indexes takes ${bytes.toFixed(0)} bytes`);
  console.log(`and ${chainBytes.toFixed(0)} bytes in the chain, with 500 at once`);
  expect(bytes).toBeLessThan(500);
  expect(chainBytes).toBeLessThan(80);
}, 20_000);

/** What tables and their indexes take; the two of requests when no others are named. */
function tableBytes(dataDir: string, tables = "'decisions', 'settlements'"): number {
  const db = new Database(ledgerPath(dataDir), { readonly: true });
  const pages = db.query<{ bytes: number }, []>(
    `SELECT sum(s.pgsize) AS bytes FROM dbstat s JOIN sqlite_schema m ON m.name = s.name WHERE m.tbl_name IN (${tables})`,
  );
  const bytes = pages.get()?.bytes ?? 0;
  db.close();
  return bytes;
}
