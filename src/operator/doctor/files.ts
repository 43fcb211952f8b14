import { existsSync, readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { fail, warn, well, type Finding } from './finding.ts';
import { listed } from './people.ts';

/** Bits that let the group or everybody in. */
const OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;
const SECRET_FILES = /^(?:panicly\.(?:db.*|lock)|master\.key.*|operator\.token)$/;

/** Whether the data directory is there, and whether only its owner gets into it and its files. */
export function filesOf(dataDir: string, backupDirectory: string): Finding[] {
  const directory = statSync(dataDir, { throwIfNoEntry: false });
  if (directory === undefined)
    return [fail('data directory', `there is none at ${dataDir}`, 'name it with --data, or make it with: panicly init')];
  if (!directory.isDirectory()) return [fail('data directory', `${dataDir} is no directory`, 'name another one with --data')];
  const open = [...openTo(dataDir, directory), ...filesIn(dataDir, SECRET_FILES), ...filesIn(backupDirectory, /^panicly-.*\.db/)];
  const findings = [ownerOf(dataDir, directory)];
  if (open.length === 0) findings.push(well('permissions', 'only the owner gets into the directory and its files'));
  else findings.push(fail('permissions', `others may get into ${listed(open)}`, `chmod go-rwx ${open.slice(0, 5).join(' ')}`));
  return findings;
}

/** A configuration that others may write decides what the server does. */
export function configurationFile(path: string | null): Finding[] {
  const stats = path === null ? undefined : statSync(path, { throwIfNoEntry: false });
  if (path === null || stats === undefined) return [];
  const isOpen = process.platform !== 'win32' && (stats.mode & WRITABLE_BY_OTHERS) !== 0;
  return isOpen ? [fail('configuration', `others may write ${path}`, `chmod go-w ${path}`)] : [well('configuration', path)];
}

function ownerOf(dataDir: string, { uid }: Stats): Finding {
  const mine = process.getuid?.();
  if (mine === undefined || mine === uid || mine === 0) return well('data directory', dataDir);
  return warn(
    'data directory',
    `${dataDir} belongs to another user`,
    'run this as the user of the server, such as: sudo -u panicly panicly doctor',
  );
}

function filesIn(directory: string, pattern: RegExp): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => pattern.test(name))
    .flatMap((name) => {
      const path = join(directory, name);
      const stats = statSync(path, { throwIfNoEntry: false });
      return stats === undefined ? [] : openTo(path, stats);
    });
}

function openTo(path: string, { mode }: Stats): string[] {
  return process.platform !== 'win32' && (mode & OTHERS) !== 0 ? [path] : [];
}
