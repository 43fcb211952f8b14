/** What a process did to its files, in the order in which it counts; paths are absolute. */
export type FileOp =
  | { readonly kind: 'create'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  /** Something that the process told the world. */
  | { readonly kind: 'mark'; readonly text: string };

/** The calls that are recorded, for the option `-e trace=` of strace. */
export const TRACED = 'openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,rename';

const LINE = /^(\d+)\s+(\w+)\((.*)$/;
const RESUMED = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)$/;
const UNFINISHED = ' <unfinished ...>';

/**
 * Reads what `strace -f -y -xx` wrote. A write and a promise count from the moment in which they were begun,
 * a sync from the moment in which it had returned: the order that is hardest on the ledger.
 */
export function parseTrace(text: string, isOurs: (path: string) => boolean, marksPath: string): FileOp[] {
  const ops: FileOp[] = [];
  const begun = new Map<string, string>();
  const take = (call: string, args: string): void => {
    const op = opOf(call, args, marksPath);
    if (op !== null && (op.kind === 'mark' || isOurs(op.path))) ops.push(op);
  };
  for (const line of text.split('\n')) {
    const resumed = RESUMED.exec(line);
    if (resumed) {
      const [, pid, call, rest] = resumed as unknown as [string, string, string, string];
      const args = begun.get(pid) ?? '';
      begun.delete(pid);
      if (!countsAtBegin(call)) take(call, args + rest);
      continue;
    }
    const match = LINE.exec(line);
    if (!match) continue;
    const [, pid, call, rest] = match as unknown as [string, string, string, string];
    const isUnfinished = rest.endsWith(UNFINISHED);
    const args = isUnfinished ? rest.slice(0, -UNFINISHED.length) : rest;
    if (isUnfinished) begun.set(pid, args);
    if (!isUnfinished || countsAtBegin(call)) take(call, args);
  }
  return ops;
}

function countsAtBegin(call: string): boolean {
  return call === 'write' || call === 'pwrite64' || call === 'ftruncate';
}

function opOf(call: string, args: string, marksPath: string): FileOp | null {
  if (/= -1 [A-Z]+/.test(args.slice(-200))) return null;
  const path = decoded(/^\d+<([^>]*)>/.exec(args)?.[1] ?? '').toString();
  const quoted = [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map((match) => decoded(match[1]!));
  const name = quoted[0]?.toString() ?? '';
  const numbers = /, (\d+)(?:, (\d+))?\)?(?:\s*= .*)?$/.exec(args);
  if (call === 'openat') return args.includes('O_CREAT') ? { kind: 'create', path: name } : null;
  if (call === 'write') return path === marksPath ? { kind: 'mark', text: name.trim() } : null;
  if (call === 'pwrite64') return { kind: 'write', path, at: Number(numbers![2]), bytes: quoted[0]! };
  if (call === 'ftruncate') return { kind: 'truncate', path, size: Number(numbers![1]) };
  if (call === 'fsync' || call === 'fdatasync') return { kind: 'sync', path };
  if (call === 'unlink') return { kind: 'unlink', path: name };
  return { kind: 'rename', path: name, to: quoted[1]!.toString() };
}

function decoded(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}
