import { PROVIDER_KINDS } from '../domain/project.ts';
import type { ConnectionEntry } from '../gateway/directory.ts';

/** What answers, as a label: the kinds of provider, and the simulator behind test keys. */
export const PROVIDER_LABELS = [...PROVIDER_KINDS, 'simulator'] as const;

/** The place of a connection's kind in `PROVIDER_LABELS`; null is the simulator. */
export function providerPlace(connection: ConnectionEntry | null): number {
  return connection === null ? PROVIDER_LABELS.length - 1 : PROVIDER_KINDS.indexOf(connection.kind);
}
