import { MAX_NANO_USD, type NanoUsd } from '../../domain/money.ts';
import type { Balance, BudgetAccount } from '../../domain/state.ts';
import { AccountView, type ViewedBook } from './account-view.ts';
import { HOUR_MS } from './periods.ts';
import type { RestoredSpend } from './restore.ts';
import { KEPT_MS, SpendLog } from './spend-log.ts';

/** Labels that one book tells apart; what comes after them is counted under one that every pattern fits. */
const MAX_LABELS = 256;
/** Up to this many are looked through one by one. */
const FEW_LABELS = 8;
const MAX_VIEWS = 128;
/** A label of more parts than any list of fallbacks counts for every pattern. */
const MAX_PARTS = 8;
/** The label of all that came when the table of labels was full. */
const ANY_MODEL = '*';

/** Spend of one label: the models that a request could reach, see `spendLabel`. */
interface LabelSpend {
  readonly text: string;
  /** The names that the text may hold, once somebody asked which they are. */
  models: readonly string[] | null;
  heldNanoUsd: NanoUsd;
  hugeHolds: number;
  totalNanoUsd: NanoUsd;
  /** The accounts that count it. */
  views: AccountView[];
}

/** All money of one key, project, workspace, end user or sender: what is held, what was spent, and the balances that policies ask for. */
export class SpendBook implements ViewedBook {
  readonly log = new SpendLog();
  inFlight = 0;
  #heldNanoUsd = 0;
  #hugeHolds = 0;
  readonly #labels: LabelSpend[] = [];
  /** Only there when the labels are many: most books have one. */
  #labelOf: Map<string, number> | null = null;
  #views: AccountView[] = [];
  #windows: Map<number, BudgetAccount> | null = null;

  /** What all requests in flight hold. */
  get heldNanoUsd(): NanoUsd {
    return this.#hugeHolds > 0 ? MAX_NANO_USD : this.#heldNanoUsd;
  }

  /** The number of a label, made when it is new. */
  labelFor(text: string): number {
    const known = this.#labelled(text);
    if (known !== undefined) return known;
    if (this.#labels.length >= MAX_LABELS) return this.#labelled(ANY_MODEL)!;
    const own = this.#labels.length === MAX_LABELS - 1 ? ANY_MODEL : text;
    const spend: LabelSpend = { text: own, models: null, heldNanoUsd: 0, hugeHolds: 0, totalNanoUsd: 0, views: [] };
    const label = this.#labels.push(spend) - 1;
    this.#labelOf?.set(own, label);
    if (this.#views.length > 0) spend.views = this.#views.filter((view) => this.labelCounts(view.account, label));
    return label;
  }

  #labelled(text: string): number | undefined {
    const labels = this.#labels;
    if (labels.length <= FEW_LABELS) {
      for (let label = 0; label < labels.length; label++) if (labels[label]!.text === text) return label;
      return undefined;
    }
    this.#labelOf ??= new Map(labels.map((label, index) => [label.text, index]));
    return this.#labelOf.get(text);
  }

  /** Places a hold. A huge one is counted, not added: see `AccountView.hugeHolds`. */
  hold(label: number, nanoUsd: NanoUsd, isHuge: boolean): void {
    this.inFlight++;
    this.#move(label, isHuge ? 0 : nanoUsd, isHuge ? 1 : 0);
  }

  /** Takes a hold away, with the arguments that placed it. */
  release(label: number, nanoUsd: NanoUsd, isHuge: boolean): void {
    this.inFlight--;
    this.#move(label, isHuge ? 0 : -nanoUsd, isHuge ? -1 : 0);
  }

  #move(label: number, nanoUsd: NanoUsd, huge: number): void {
    const spend = this.#labels[label]!;
    this.#heldNanoUsd += nanoUsd;
    this.#hugeHolds += huge;
    spend.heldNanoUsd += nanoUsd;
    spend.hugeHolds += huge;
    for (const view of spend.views) {
      view.heldNanoUsd += nanoUsd;
      view.hugeHolds += huge;
    }
  }

  /** Adds what was settled at `atMs`. */
  spend(label: number, nanoUsd: NanoUsd, atMs: number): void {
    if (nanoUsd === 0) return;
    const spend = this.#labels[label]!;
    spend.totalNanoUsd = Math.min(MAX_NANO_USD, spend.totalNanoUsd + nanoUsd);
    const isInOrder = atMs >= this.log.newestMs;
    this.log.add(atMs, nanoUsd, label);
    if (!isInOrder) return this.forgetViews();
    for (const view of spend.views) view.add(atMs, nanoUsd);
  }

  /** Adds what a start knows, or a correction (below 0 when it cost less). What is before the log's time counts in the total alone. */
  restore({ label: text, costNanoUsd, atMs }: RestoredSpend): void {
    const label = this.labelFor(text);
    if (atMs < this.log.newestMs - KEPT_MS) this.#spendLongAgo(label, costNanoUsd);
    else this.spend(label, costNanoUsd, atMs);
  }

  #spendLongAgo(label: number, nanoUsd: NanoUsd): void {
    const spend = this.#labels[label]!;
    spend.totalNanoUsd = Math.min(MAX_NANO_USD, spend.totalNanoUsd + nanoUsd);
    this.forgetViews();
  }

  /** Drops every running balance: the next reading makes it again. */
  forgetViews(): void {
    if (this.#views.length === 0) return;
    this.#views = [];
    for (const label of this.#labels) label.views = [];
  }

  balance(account: BudgetAccount, nowMs: number): Balance {
    for (const view of this.#views) if (view.account === account) return view.read(nowMs);
    return this.#addView(account, nowMs).read(nowMs);
  }

  /** Money settled within the last `windowMs`, and all that is held. */
  spentWithin(windowMs: number, nowMs: number): NanoUsd {
    if (this.log.length === 0) return this.heldNanoUsd;
    const windows = (this.#windows ??= new Map<number, BudgetAccount>());
    let account = windows.get(windowMs);
    if (account === undefined) {
      if (windows.size >= MAX_VIEWS) windows.clear();
      account = { scope: 'key', period: 'rolling', windowMs, matches: null };
      windows.set(windowMs, account);
    }
    const { settledNanoUsd, heldNanoUsd } = this.balance(account, nowMs);
    return Math.min(MAX_NANO_USD, settledNanoUsd + heldNanoUsd);
  }

  #addView(account: BudgetAccount, nowMs: number): AccountView {
    // Accounts of policies that have gone are not read any more: they go when new ones come.
    const isFull = this.#views.length >= MAX_VIEWS;
    if (isFull || this.#views.some((view) => view.lastReadMs < nowMs - HOUR_MS)) this.#dropIdleViews(nowMs, isFull);
    const view = new AccountView(account, this, nowMs);
    this.#views.push(view);
    for (const [label, spend] of this.#labels.entries()) {
      if (!this.labelCounts(account, label)) continue;
      spend.views.push(view);
      view.heldNanoUsd += spend.heldNanoUsd;
      view.hugeHolds += spend.hugeHolds;
    }
    return view;
  }

  #dropIdleViews(nowMs: number, isFull: boolean): void {
    const oldest = Math.min(...this.#views.map((view) => view.lastReadMs));
    const isKept = (view: AccountView): boolean => view.lastReadMs >= nowMs - HOUR_MS && !(isFull && view.lastReadMs === oldest);
    this.#views = this.#views.filter(isKept);
    for (const label of this.#labels) label.views = label.views.filter(isKept);
  }

  labelCounts(account: BudgetAccount, label: number): boolean {
    if (account.matches === null) return true;
    const spend = this.#labels[label]!;
    spend.models ??= namesIn(spend.text);
    return spend.models.length === 0 || spend.models.some(account.matches);
  }

  totalOf(account: BudgetAccount): NanoUsd {
    let total = 0;
    for (const [label, spend] of this.#labels.entries()) if (this.labelCounts(account, label)) total += spend.totalNanoUsd;
    return total;
  }

  /** True when nothing in it can matter any more, except to a budget over all time. */
  isIdle(nowMs: number): boolean {
    return this.inFlight === 0 && this.log.newestMs < nowMs - KEPT_MS;
  }

  /** True when nothing was ever spent or is held: forgetting it changes no balance. */
  get isEmpty(): boolean {
    return this.inFlight === 0 && this.#labels.every(({ totalNanoUsd }) => totalNanoUsd === 0);
  }

  /** All that was ever spent, by label. */
  totalsByLabel(): Record<string, NanoUsd> {
    const entries = this.#labels
      .filter(({ totalNanoUsd }) => totalNanoUsd !== 0)
      .map(({ text, totalNanoUsd }) => [text, totalNanoUsd] as const);
    return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** The names that a label may hold; none when it may hold any. A client can put a comma into a name, so neighbouring parts may also be one. */
function namesIn(label: string): readonly string[] {
  const parts = label.split(',');
  if (label === ANY_MODEL || parts.length > MAX_PARTS) return [];
  return parts.flatMap((_, first) => parts.slice(first).map((__, more) => parts.slice(first, first + more + 1).join(',')));
}
