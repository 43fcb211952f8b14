import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import type { Command } from 'commander';
import type { BackupJson } from '../http/schemas/operator.ts';
import type { Client, Page } from './client.ts';
import { confirm, show, withJson, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { facts, table, type Io } from './output.ts';
import { CliProblem } from './problem.ts';
import { progress } from './progress.ts';

interface BackupOptions extends CommonOptions {
  readonly keep?: true;
}

/** What a backup does not hold, said whenever one is made. */
const WITHOUT_KEY = `
It holds keys of providers encrypted only. Keep the master key (master.key or PANICLY_MASTER_KEY) apart from it:
without that key they cannot be read, and with both anybody can.
`;

/** `backup` and `backups`: copies of the ledger of a running server. */
export function addBackupCommands(program: Command, context: CliContext): void {
  const { io, client } = context;
  withJson(
    program
      .command('backup')
      .description('copy the ledger of the running server, and check the copy')
      .argument('[file]', 'where to put it on this machine (default: in the directory of backups of the server)')
      .option('--keep', 'with a file: leave the copy in the directory of the server too'),
    'panicly backup',
    'panicly backup /mnt/elsewhere/panicly.db',
    'PANICLY_URL=https://panicly.example.com panicly backup panicly.db',
  ).action(async (file: string | undefined, options: BackupOptions) => {
    if (file !== undefined) mustBeFree(file);
    const made = await client().postSlowly<BackupJson>('/backup');
    if (file !== undefined) {
      await download(client(), io, made, file);
      if (!options.keep) await client().delete(`/backups/${made.name}`);
    }
    show(io, options, { ...made, file: file ?? null }, () => backupText(made, file) + WITHOUT_KEY);
  });
  addBackupList(program, context);
}

function addBackupList(program: Command, { io, client }: CliContext): void {
  const backups = program.command('backups').description('finished backups in the directory of the server');
  withJson(backups.command('list').description('list them, newest first'), 'panicly backups list').action(
    async (options: CommonOptions) => {
      const page = await client().get<Page<BackupJson>>('/backups');
      show(io, options, page, ({ data }) => listText(data));
    },
  );
  withJson(
    backups.command('download').description('take one to this machine').argument('<name>').argument('<file>'),
    'panicly backups download panicly-20261122T140000123Z.db panicly.db',
  ).action(async (name: string, file: string, options: CommonOptions) => {
    mustBeFree(file);
    const { data } = await client().get<Page<BackupJson>>('/backups');
    const found = data.find((one) => one.name === name);
    if (!found) throw new CliProblem(`there is no backup "${name}"; see: panicly backups list`, 1);
    await download(client(), io, found, file);
    show(io, options, { ...found, file }, () => backupText(found, file) + WITHOUT_KEY);
  });
  withJson(
    withYes(backups.command('delete').description('delete one on the server').argument('<name>')),
    'panicly backups delete panicly-20261122T140000123Z.db --yes',
  ).action(async (name: string, options: DestroyingOptions) => {
    await confirm(io, options, `delete the backup ${name}`);
    await client().delete(`/backups/${encodeURIComponent(name)}`);
    show(io, options, { deleted: name }, () => `deleted ${name}\n`);
  });
}

function mustBeFree(file: string): void {
  if (existsSync(file)) throw new CliProblem(`there is a file ${file} already: name another one`, 1);
}

/** Whole and as the server has it, or not there at all; with its manifest beside it. Nobody else may read either. */
async function download(client: Client, io: Io, { name, size_bytes, sha256, ...rest }: BackupJson, file: string): Promise<void> {
  const part = `${file}.part`;
  const target = openPart(part);
  const hasher = new Bun.CryptoHasher('sha256');
  let received = 0;
  const bar = progress(io, `${Math.ceil(size_bytes / 2 ** 20)} MB`);
  try {
    for await (const piece of client.pieces(`/backups/${encodeURIComponent(name)}`)) {
      hasher.update(piece);
      for (let written = 0; written < piece.byteLength; written += writeSync(target, piece, written));
      received += piece.byteLength;
      bar.at(received, size_bytes);
    }
    if (hasher.digest('hex') !== sha256) throw new CliProblem(`what arrived is not the backup: it is still on the server as ${name}`, 1);
    fsyncSync(target);
    writeFileSync(`${file}.json`, `${JSON.stringify({ format: 1, name, ...rest, size_bytes, sha256 }, null, 2)}\n`, { mode: 0o600 });
    renameSync(part, file);
  } finally {
    closeSync(target);
    rmSync(part, { force: true });
    bar.end();
  }
}

function openPart(part: string): number {
  try {
    return openSync(part, 'w', 0o600);
  } catch (error) {
    throw new CliProblem(`cannot write ${part} (${(error as NodeJS.ErrnoException).code})`, 2, { cause: error });
  }
}

function backupText(made: BackupJson, file: string | undefined): string {
  return facts([
    ['backup', file ?? `${made.name}, in the directory of backups of the server`],
    ['made', made.made_at],
    ['decisions', made.decisions],
    ['settlements', made.settlements],
    ['up to seq', made.seq],
    ['size', `${made.size_bytes} bytes`],
    ['sha256', made.sha256],
    ...(made.chain_head === null ? [] : ([['chain head', made.chain_head]] as const)),
  ]);
}

function listText(backups: readonly BackupJson[]): string {
  if (backups.length === 0) return 'there is no backup yet: make one with "panicly backup"\n';
  const rows = backups.map((one) => [one.made_at, one.name, one.kind, one.seq, one.decisions, one.size_bytes]);
  return table(['MADE', 'NAME', 'KIND', 'SEQ', 'DECISIONS', 'BYTES'], rows, [3, 4, 5]);
}
