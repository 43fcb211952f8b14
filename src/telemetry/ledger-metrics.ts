import type { LedgerEvents } from '../ledger/engine.ts';
import type { Exposition } from './exposition.ts';
import { BATCH_ROWS, Histogram, SHORT_SECONDS } from './histogram.ts';

/** Counts commits. Its functions are given to the ledger as events when it is opened. */
export class LedgerMetrics {
  readonly #seconds = new Histogram(SHORT_SECONDS);
  readonly #rows = new Histogram(BATCH_ROWS);
  #failed = 0;
  #writerDeaths = 0;

  readonly events: Required<Pick<LedgerEvents, 'onCommit' | 'onWriterDeath'>> = {
    onCommit: (rows, durationMs, committed) => {
      this.#seconds.observe(durationMs / 1000);
      this.#rows.observe(rows);
      if (!committed) this.#failed++;
    },
    onWriterDeath: () => void this.#writerDeaths++,
  };

  writeTo(out: Exposition): void {
    out.histogram('panicly_ledger_commit_seconds', 'From sending a transaction to the writer to its answer.', [[{}, this.#seconds]]);
    out.histogram('panicly_ledger_batch_rows', 'Rows in a transaction; a command counts as one.', [[{}, this.#rows]]);
    out.counter('panicly_ledger_failed_commits_total', 'Transactions that were not committed.', this.#failed);
    out.counter('panicly_ledger_writer_deaths_total', 'Times that the writer died and was started again.', this.#writerDeaths);
  }
}
