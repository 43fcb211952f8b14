import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CountryDatabaseProblem, openCountryDatabase } from '../../src/gateway/country.ts';
import { countryDatabase } from '../support/country-database.ts';

/** An operator's own country database. */

const directory = mkdtempSync(join(tmpdir(), 'panicly-country-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

let files = 0;

/** A new path with these bytes. */
function fileOf(bytes: Uint8Array | string): string {
  const path = join(directory, `${files++}.mmdb`);
  writeFileSync(path, bytes);
  return path;
}

/** Opens a file that is looked at all the time; `next` resolves with the outcome of the next reload. */
function follow(path: string) {
  let reloaded = Promise.withResolvers<Error | null>();
  const lookup = openCountryDatabase(path, {
    lookEveryMs: 5,
    onReload(problem) {
      reloaded.resolve(problem);
      reloaded = Promise.withResolvers();
    },
  });
  return { lookup, next: () => reloaded.promise };
}

test('is asked in place of the embedded one; what it does not cover is unknown', () => {
  const lookup = openCountryDatabase(fileOf(countryDatabase({ 8: 'FR', 193: 'BR' })));
  expect(['8.8.8.8', '8.0.0.0', '8.255.255.255', '193.0.6.139', '9.0.0.0', '133.11.0.1'].map(lookup)).toEqual([
    'FR',
    'FR',
    'FR',
    'BR',
    null,
    null,
  ]);
});

test('of IPv4 alone says nothing of IPv6', () => {
  // Its first bytes spell 32.1.72.96.
  expect(openCountryDatabase(fileOf(countryDatabase({ 32: 'FR' })))('2001:4860:4860::8888')).toBeNull();
});

test('private addresses stay unknown, whatever the file says', () => {
  expect(openCountryDatabase(fileOf(countryDatabase({ 10: 'FR', 127: 'FR' })))('10.1.2.3')).toBeNull();
});

describe('when the file changes', () => {
  test('the new one counts, also for addresses that were asked before', async () => {
    const path = fileOf(countryDatabase({ 8: 'FR' }));
    const { lookup, next } = follow(path);
    expect(lookup('8.8.8.8')).toBe('FR');
    const reloaded = next();
    renameSync(fileOf(countryDatabase({ 8: 'BR', 9: 'BR' })), path);
    expect(await reloaded).toBeNull();
    expect(['8.8.8.8', '9.9.9.9'].map(lookup)).toEqual(['BR', 'BR']);
  });

  test.each([
    ['a damaged file', (path: string) => writeFileSync(path, 'nothing of the kind')],
    ['a file that was cut', (path: string) => writeFileSync(path, countryDatabase({ 8: 'BR' }).subarray(0, 60))],
    ['no file at all', (path: string) => rmSync(path)],
  ])('%s leaves the one before in force, until there is a good one', async (_, spoil) => {
    const path = fileOf(countryDatabase({ 8: 'FR' }));
    const { lookup, next } = follow(path);
    const failed = next();
    spoil(path);
    expect(await failed).toBeInstanceOf(Error);
    expect(lookup('8.8.8.8')).toBe('FR');
    const mended = next();
    renameSync(fileOf(countryDatabase({ 8: 'BR' })), path);
    expect(await mended).toBeNull();
    expect(lookup('8.8.8.8')).toBe('BR');
  });
});

describe('at the start', () => {
  test.each([
    ['a file that is not there', join(directory, 'none.mmdb')],
    ['a directory', directory],
    ['something else', fileOf('nothing of the kind')],
    ['an empty file', fileOf('')],
    ['half of a database', fileOf(countryDatabase({ 8: 'BR' }).subarray(0, 60))],
  ])('%s is refused with its path', (_, path) => {
    expect(() => openCountryDatabase(path)).toThrow(CountryDatabaseProblem);
    expect(() => openCountryDatabase(path)).toThrow(path);
  });
});
