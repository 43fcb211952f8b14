/** Why a ledger cannot commit, as it is told outside: what the system says may name paths. */
export type LedgerTrouble = 'commit_failed' | 'writer_died' | 'stalled';

/** What the ledger reported of itself since somebody last looked. Made before the ledger is opened. */
export class LedgerNews {
  #trouble: LedgerTrouble | null = null;
  #refused: { seq: number; count: number } | null = null;

  /** For `LedgerEvents.onHealth`. */
  health(available: boolean, why: string): void {
    if (!available) this.#trouble = why === 'the writer died' ? 'writer_died' : 'commit_failed';
  }

  /** For `LedgerEvents.onRefusedRow`. */
  rowRefused(seq: number): void {
    if (this.#refused === null) this.#refused = { seq, count: 1 };
    else this.#refused.count++;
  }

  /** The last trouble since the last call, also one that is over by now; null when there was none. */
  takeTrouble(): LedgerTrouble | null {
    const trouble = this.#trouble;
    this.#trouble = null;
    return trouble;
  }

  /** The first row that was refused since the last call, and how many there were; null when there was none. */
  takeRefusedRow(): { readonly seq: number; readonly count: number } | null {
    const refused = this.#refused;
    this.#refused = null;
    return refused;
  }
}
