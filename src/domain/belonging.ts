import type { Candidate } from './candidate.ts';
import type { Belonging } from './state.ts';

/** Who a candidate belongs to: the ids that its windows and accounts are found by. */
export function belongingOf(candidate: Candidate): Belonging {
  return {
    environmentTest: candidate.environment === 'test',
    workspaceId: candidate.workspaceId,
    projectId: candidate.projectId,
    keyId: candidate.keyId,
    endUser: candidate.endUser,
    sender: candidate.ip === null ? null : senderGroup(candidate.ip),
  };
}

/**
 * What counts as one sender: an IPv4 address, or the /64 of an IPv6 address, because a single customer is given at least that much.
 * Takes canonical text (see `gateway/origin.ts`); text that is no address is its own group.
 */
export function senderGroup(ip: string): string {
  if (!ip.includes(':')) return ip;
  const fourth = endOfFourGroups(ip);
  if (fourth !== -1) return `${ip.slice(0, fourth)}::/64`;
  const gap = ip.indexOf('::');
  const head = countGroups(ip, 0, gap);
  const tail = countGroups(ip, gap + 2, ip.length);
  // With at most four groups behind the gap, the upper half is what stands before it, and zeros.
  if (tail <= 4) return `${ip.slice(0, gap)}${(head === 0 ? HALF_ZEROS_ALONE : HALF_ZEROS)[4 - head]}::/64`;
  const groups = [...ip.slice(0, gap).split(':'), ...Array.from({ length: 8 - head - tail }, () => '0'), ...ip.slice(gap + 2).split(':')];
  return `${groups
    .filter((group) => group !== '')
    .slice(0, 4)
    .join(':')}::/64`;
}

const HALF_ZEROS = ['', ':0', ':0:0', ':0:0:0', ':0:0:0:0'];
const HALF_ZEROS_ALONE = HALF_ZEROS.map((zeros) => zeros.slice(1));

/** How many groups of hexadecimal digits stand between two places. */
function countGroups(ip: string, from: number, to: number): number {
  if (from >= to) return 0;
  let groups = 1;
  for (let index = from; index < to; index++) if (ip.charCodeAt(index) === 58) groups++;
  return groups;
}

/** Where the fourth group ends when the first four are written out: the usual case, without taking the text apart. Else -1. */
function endOfFourGroups(ip: string): number {
  let groups = 0;
  for (let index = 0; index < ip.length; index++) {
    if (ip.charCodeAt(index) !== 58) continue;
    if (++groups === 4) return index;
    if (ip.charCodeAt(index + 1) === 58) return -1;
  }
  return -1;
}

/** The label that spend is kept under: every model that a request could reach, so that a budget for one of them counts it. */
export function spendLabel(models: readonly string[]): string {
  return models.length === 1 ? models[0]! : models.join(',');
}
