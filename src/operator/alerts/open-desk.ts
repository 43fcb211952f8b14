import type { DirectorySnapshot } from '../../ledger/store.ts';
import type { Gateway } from '../../gateway/gateway.ts';
import type { Upstream } from '../../upstream/upstream.ts';
import { webhookSender } from '../../upstream/webhook.ts';
import { AlertDesk, type AlertParts } from './desk.ts';
import type { AlertRoom } from './room.ts';

/** A desk that looks on at the path; `upstream` is its own road to receivers. It begins to look with `start`. */
export function openDesk(
  room: AlertRoom,
  snapshot: DirectorySnapshot,
  gateway: Gateway,
  upstream: Upstream,
  { news, onFailure }: Pick<AlertParts, 'news' | 'onFailure'>,
): AlertDesk {
  const desk = new AlertDesk({ room, snapshot, sender: webhookSender(upstream), news, random: () => Math.random(), onFailure });
  gateway.observers.push(desk.witness);
  return desk;
}
