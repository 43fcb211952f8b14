import type { Belonging } from '../../domain/state.ts';
import type { RestoredSpend } from '../state/restore.ts';

const MINUTE_MS = 60_000;

type Amount = { -readonly [Member in keyof RestoredSpend]: RestoredSpend[Member] };

/** What keys, or end users, or senders spent, each within its project and with equal models, in the order of time. */
export class Spenders {
  // Texts of clients are keys of their own: put together, one pair could pass for another.
  readonly #amounts = new Map<string, Map<number, Map<string, Amount[]>>>();
  readonly #all: Amount[] = [];

  /**
   * Adds an amount of who has this name in the project of `spend.who`; amounts come in the order of time. Those that are not exact may
   * become one with others of their minute, at the latest moment of them.
   */
  add(spend: RestoredSpend, name: string, isExact: boolean): void {
    const amounts = this.#of(spend.label, spaceOf(spend.who), name);
    const newest = amounts.at(-1);
    if (newest !== undefined && !isExact && Math.floor(newest.atMs / MINUTE_MS) === Math.floor(spend.atMs / MINUTE_MS)) {
      newest.costNanoUsd += spend.costNanoUsd;
      newest.atMs = spend.atMs;
      return;
    }
    const amount = { ...spend };
    amounts.push(amount);
    this.#all.push(amount);
  }

  /** What one of them spent with equal models, from a moment up to another, which is not part of it. */
  spentBetween(who: Belonging, name: string, label: string, fromMs: number, toMs: number): number {
    let spent = 0;
    for (const { atMs, costNanoUsd } of this.#amounts.get(label)?.get(spaceOf(who))?.get(name) ?? [])
      if (atMs >= fromMs && atMs < toMs) spent += costNanoUsd;
    return spent;
  }

  /** Everything, in the order of time. */
  inOrder(): readonly RestoredSpend[] {
    return this.#all.sort((a, b) => a.atMs - b.atMs);
  }

  #of(label: string, space: number, name: string): Amount[] {
    let spaces = this.#amounts.get(label);
    if (spaces === undefined) this.#amounts.set(label, (spaces = new Map<number, Map<string, Amount[]>>()));
    let names = spaces.get(space);
    if (names === undefined) spaces.set(space, (names = new Map<string, Amount[]>()));
    let amounts = names.get(name);
    if (amounts === undefined) names.set(name, (amounts = []));
    return amounts;
  }
}

/** A number for each project's live and test traffic. */
function spaceOf({ projectId, environmentTest }: Belonging): number {
  return projectId * 2 + (environmentTest ? 1 : 0);
}
