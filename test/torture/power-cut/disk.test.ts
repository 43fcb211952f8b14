import { describe, expect, test } from 'bun:test';
import { CutDisk } from './disk.ts';
import { parseTrace } from './trace.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const hex = (text: string): string => [...bytes(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
const always = (value: number) => () => value;
/** The first die chooses what becomes of writes, see `fatesOf`. */
const DROPPED = 0.1;
const KEPT = 0.3;

function text(files: Map<string, Uint8Array>, name: string): string | null {
  const content = files.get(name);
  return content === undefined ? null : new TextDecoder().decode(content);
}

function synced(): CutDisk {
  const disk = new CutDisk();
  disk.apply({ kind: 'create', path: 'a' });
  disk.apply({ kind: 'write', path: 'a', at: 0, bytes: bytes('synced') });
  disk.apply({ kind: 'sync', path: 'a' });
  return disk;
}

describe('a disk whose power is cut', () => {
  test('keeps what was synced, and may lose all the rest', () => {
    const disk = synced();
    disk.apply({ kind: 'write', path: 'a', at: 0, bytes: bytes('UNSYNCED') });
    expect(text(disk.cut(always(DROPPED)), 'a')).toBe('synced');
    expect(text(disk.cut(always(KEPT)), 'a')).toBe('UNSYNCED');
    disk.apply({ kind: 'sync', path: 'a' });
    expect(text(disk.cut(always(DROPPED)), 'a')).toBe('UNSYNCED');
  });

  test('tears a write at its sectors', () => {
    const disk = new CutDisk();
    disk.apply({ kind: 'create', path: 'a' });
    disk.apply({ kind: 'sync', path: 'a' });
    disk.apply({ kind: 'write', path: 'a', at: 256, bytes: new Uint8Array(1024).fill(1) });
    const dice = [0.9, 0, 0.9, 0.1, 0.9, 0.1];
    const content = disk.cut(() => dice.shift()!).get('a')!;
    expect([content.length, content[300], content[600], content[1100]]).toEqual([1280, 1, 0, 1]);
  });

  test('a name that was taken away may come back until something is synced', () => {
    const disk = synced();
    disk.apply({ kind: 'unlink', path: 'a' });
    expect(text(disk.cut(always(DROPPED)), 'a')).toBe('synced');
    disk.apply({ kind: 'sync', path: 'directory' });
    expect(text(disk.cut(always(DROPPED)), 'a')).toBeNull();
  });

  test('a new file under an old name is another file', () => {
    const disk = synced();
    disk.apply({ kind: 'unlink', path: 'a' });
    disk.apply({ kind: 'create', path: 'a' });
    disk.apply({ kind: 'write', path: 'a', at: 0, bytes: bytes('new') });
    disk.apply({ kind: 'sync', path: 'a' });
    expect(text(disk.cut(always(DROPPED)), 'a')).toBe('new');
  });
});

describe('a trace', () => {
  const lines = [
    `7 openat(AT_FDCWD<${hex('/d')}>, "${hex('/d/x')}", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 12<${hex('/d/x')}>`,
    `7 pwrite64(12<${hex('/d/x')}>, "${hex('one')}", 3, 4096 <unfinished ...>`,
    `8 write(5<${hex('/marks')}>, "${hex('d 1\n')}", 4) = 4`,
    `7 <... pwrite64 resumed>) = 3`,
    `7 fsync(12<${hex('/d/x')}> <unfinished ...>`,
    `8 write(5<${hex('/marks')}>, "${hex('d 2\n')}", 4) = 4`,
    `7 <... fsync resumed>) = 0`,
    `7 ftruncate(12<${hex('/d/x')}>, 0) = 0`,
    `7 unlink("${hex('/d/x')}") = 0`,
    `7 unlink("${hex('/d/x')}") = -1 ENOENT (No such file or directory)`,
    `7 fsync(9<${hex('/elsewhere')}>) = 0`,
  ].join('\n');

  test('says what happened in which order: writes when they begin, syncs when they have ended', () => {
    const ops = parseTrace(lines, (path) => path.startsWith('/d'), '/marks');
    expect(ops.map((op) => (op.kind === 'mark' ? op.text : op.kind))).toEqual([
      'create',
      'write',
      'd 1',
      'd 2',
      'sync',
      'truncate',
      'unlink',
    ]);
    expect(ops[1]).toMatchObject({ path: '/d/x', at: 4096 });
    expect(ops[5]).toEqual({ kind: 'truncate', path: '/d/x', size: 0 });
  });
});
