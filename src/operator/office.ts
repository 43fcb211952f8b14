import type { Clock } from '../clock.ts';
import type { Directory } from '../gateway/directory.ts';
import type { InFlight } from '../gateway/in-flight.ts';
import type { AuditEvent, Store } from '../ledger/store.ts';
import type { MasterKey } from '../upstream/secrets.ts';
import type { Registry } from './registry.ts';

/** Everything that the use cases of operators work with. Made once, in `app.ts`. */
export interface Office {
  readonly store: Store;
  readonly registry: Registry;
  readonly directory: Directory;
  readonly inFlight: InFlight;
  readonly masterKey: MasterKey;
  readonly clock: Clock;
  readonly allowHttpUpstream: boolean;
}

/** Who is acting, from where: goes into every audit event. */
export interface Actor {
  /** The operator's public id, or `system`. */
  readonly id: string;
  readonly ip: string | null;
}

/** The audit event of a write. `detail` must hold no secret. */
export function auditOf(actor: Actor, action: string, subject: string, detail: AuditEvent['detail']): AuditEvent {
  return { actor: actor.id, action, subject, ip: actor.ip, detail };
}
