/** The end of a chain as one line that can be kept elsewhere: a later ledger must still have it. */
import type { ChainEnd } from './links.ts';

/** What such a line says. */
export interface ChainHead {
  readonly link: number;
  readonly lastSeq: number;
  /** When the link was made, as ledger time in ISO 8601 without separators. */
  readonly at: string;
  /** The link's mac, hexadecimal. */
  readonly mac: string;
}

const FORM = /^head-(\d{1,16})-(\d{1,16})-(\d{8}T\d{6}\.\d{3}Z)-([0-9a-f]{64})$/;

/** The line. */
export function printHead({ link, lastSeq, atMs, mac }: ChainEnd): string {
  const at = new Date(atMs).toISOString().replaceAll(/[-:]/g, '');
  return `head-${link}-${lastSeq}-${at}-${Buffer.from(mac).toString('hex')}`;
}

/** What a line says, or null when it is none. */
export function parseHead(line: string): ChainHead | null {
  const [, link, lastSeq, at, mac] = FORM.exec(line.trim()) ?? [];
  if (link === undefined || lastSeq === undefined || at === undefined || mac === undefined) return null;
  return { link: Number(link), lastSeq: Number(lastSeq), at, mac };
}
