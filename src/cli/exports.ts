import { Option, type Command } from 'commander';
import type { Client, Query } from './client.ts';
import { withExamples, type CliContext } from './context.ts';
import type { Io } from './output.ts';
import { CliProblem } from './problem.ts';
import { withProgress } from './progress.ts';

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000 };

/** Adds `export` to a noun. `filters` adds the flags of its list, `queryOf` makes the parameters of the address from them. */
export function addExportCommand(
  noun: Command,
  { io, client }: CliContext,
  what: {
    readonly path: string;
    readonly description: string;
    readonly filters: (command: Command) => Command;
    readonly queryOf: (command: Command) => Query;
    readonly examples: readonly string[];
  },
): void {
  const command = what
    .filters(noun.command('export').description(what.description))
    .option('--since <time>', 'from when: 7d, 24h, 30m, or ISO 8601; the same as --from')
    .addOption(new Option('--format <form>', 'csv for spreadsheets, jsonl for programs').choices(['csv', 'jsonl']).default('csv'));
  withExamples(command, ...what.examples).action(async () => {
    const { since, ...query } = what.queryOf(command);
    if (since !== undefined && query['from'] !== undefined) throw new CliProblem('give --since or --from, not both');
    await pour(client(), io, what.path, since === undefined ? query : { ...query, from: momentOf(io, since) });
  });
}

/** `7d` before now as ISO 8601; anything else is left to the server to judge. */
function momentOf(io: Io, text: string): string {
  const stretch = /^(\d{1,6})([dhm])$/.exec(text);
  return stretch && io.nowMs ? new Date(io.nowMs() - Number(stretch[1]) * UNIT_MS[stretch[2]!]!).toISOString() : text;
}

/** Writes an answer to the standard output as it arrives, no faster than that takes it. */
async function pour(client: Client, io: Io, path: string, query: Query): Promise<void> {
  const decoder = new TextDecoder();
  let lines = 0;
  // On a terminal the lines themselves show how far it is.
  const beside = io.look === undefined ? io : { ...io, isErrTerminal: false };
  await withProgress(beside, 'lines', async (at) => {
    for await (const piece of client.pieces(path, query)) {
      const text = decoder.decode(piece, { stream: true });
      io.out(text);
      await io.drained?.();
      lines += text.split('\n').length - 1;
      at(lines, null);
    }
  });
}
