import type { Office } from '../office.ts';

/** What alerts look at and write with. */
export type AlertRoom = Pick<Office, 'store' | 'registry' | 'directory' | 'state' | 'engine' | 'clock' | 'masterKey' | 'allowHttpUpstream'>;
