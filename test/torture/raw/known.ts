import type { Shot } from './judge.ts';

/** Something that the HTTP server below us does, that our code cannot see, and that harms nobody. */
interface Known {
  readonly why: string;
  readonly holds: (shot: Shot, what: string) => boolean;
}

const KNOWN: readonly Known[] = [];

/** Why a finding is none that we could mend, or null. */
export function known(shot: Shot, what: string): string | null {
  return KNOWN.find(({ holds }) => holds(shot, what))?.why ?? null;
}
