import type { Command } from 'commander';
import type { FoundSecretJson } from '../http/schemas/operator.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import type { Client, Page } from './client.ts';
import { scan, sourcesOf, type Finding } from './key-scan.ts';
import { table } from './output.ts';
import { CliProblem } from './problem.ts';

interface ScanOptions extends CommonOptions {
  readonly offline?: true;
}

/** How many hashes the server takes at once. */
const AT_ONCE = 1000;

/** What was found, and what the server says of it; `unchecked` when no server was asked. */
interface Judged extends Finding {
  readonly status: FoundSecretJson['status'] | 'unchecked';
  readonly id: string | null;
  readonly name: string | null;
}

/** `keys scan`. */
export function addScanCommand(keys: Command, { io, client }: CliContext): void {
  withJson(
    keys
      .command('scan')
      .description('find our keys and operator tokens in files; exit code 1 when one of them works (without a server: may work)')
      .argument('<file...>', 'files, directories, or - for the standard input')
      .option('--offline', 'ask no server; otherwise it is sent SHA-256 hashes, never a key'),
    'panicly keys scan .',
    'git diff --cached | panicly keys scan -',
    'panicly keys scan server.log backup.tar --json',
  ).action(async (files: string[], options: ScanOptions) => {
    const found = await allOf(files, io.stdinBytes ?? (() => Bun.stdin.stream()));
    const judged = await judge(found, options.offline ? null : client);
    const shown = judged.map(({ checksumRight, sha256: _hash, ...rest }) => ({ ...rest, checksum: checksumRight ? 'right' : 'wrong' }));
    show(io, options, { data: shown }, () => findingTable(judged));
    const works = judged.filter(({ status, checksumRight }) => status === 'active' || (status === 'unchecked' && checksumRight));
    if (works.length > 0) throw new CliProblem(verdictOn(works), 1);
  });
}

async function allOf(files: readonly string[], stdin: () => ReadableStream<Uint8Array>): Promise<Finding[]> {
  const found: Finding[] = [];
  for await (const source of sourcesOf(files, stdin)) {
    try {
      for await (const finding of scan(source)) found.push(finding);
    } catch (error) {
      throw new CliProblem(`cannot read ${source.name}`, 2, { cause: error });
    }
  }
  return found;
}

async function judge(found: readonly Finding[], client: (() => Client) | null): Promise<Judged[]> {
  const hashes = [...new Set(found.filter(({ checksumRight }) => checksumRight).map(({ sha256 }) => sha256))];
  const known = client === null || hashes.length === 0 ? null : await lookUp(client, hashes);
  return found.map((finding) => {
    const answer = known?.get(finding.sha256);
    const status = !finding.checksumRight ? 'unknown' : (answer?.status ?? 'unchecked');
    return { ...finding, status, id: answer?.id ?? null, name: answer?.name ?? null };
  });
}

/** Null when there is no server to ask. */
async function lookUp(client: () => Client, hashes: readonly string[]): Promise<ReadonlyMap<string, FoundSecretJson> | null> {
  const answers = new Map<string, FoundSecretJson>();
  try {
    for (let from = 0; from < hashes.length; from += AT_ONCE) {
      const page = await client().post<Page<FoundSecretJson>>('/keys/lookup', { sha256: hashes.slice(from, from + AT_ONCE) });
      for (const answer of page.data) answers.set(answer.sha256, answer);
    }
    return answers;
  } catch (error) {
    if (error instanceof CliProblem && error.exitCode === 2) return null;
    throw error;
  }
}

function findingTable(judged: readonly Judged[]): string {
  if (judged.length === 0) return 'nothing found\n';
  const rows = judged.map(({ file, line, kind, environment, prefix, checksumRight, status, id, name }) => [
    `${file}:${line}`,
    kind === 'key' ? environment : 'operator',
    `${prefix}...`,
    checksumRight ? 'right' : 'wrong',
    status,
    id,
    name,
  ]);
  return table(['WHERE', 'WHAT', 'KEY', 'CHECKSUM', 'STATUS', 'ID', 'NAME'], rows);
}

/** What to do about it. A secret that stands in several places is one. */
function verdictOn(works: readonly Judged[]): string {
  const active = works.filter(({ status }) => status === 'active');
  const count = new Set((active.length > 0 ? active : works).map(({ sha256 }) => sha256)).size;
  const found = count === 1 ? 'one secret found' : `${count} secrets found`;
  if (active.length === 0) return `${found} that may work: no server was asked`;
  const means = [
    ...(active.some(({ kind }) => kind === 'key') ? ['"panicly keys rotate"'] : []),
    ...(active.some(({ kind }) => kind !== 'key') ? ['"panicly operators create" and "remove"'] : []),
  ].join(', ');
  return count === 1
    ? `${found} that works: replace it (${means}), and take it out of the file`
    : `${found} that work: replace them (${means}), and take them out of the files`;
}
