import type { Command } from 'commander';
import type { MasterKeyRotationJson } from '../http/schemas/operator.ts';
import { confirm, show, withJson, withNotes, withYes, type CliContext, type DestroyingOptions } from './context.ts';

const FROM_ENVIRONMENT = [
  'A key that comes from PANICLY_MASTER_KEY is replaced at a start: with PANICLY_MASTER_KEY_NEW beside it, until the log says',
  'master_key_changed, and then with the new key alone as PANICLY_MASTER_KEY.',
];

/** `master-key rotate`. */
export function addMasterKeyCommands(program: Command, { io, client }: CliContext): void {
  const masterKey = program.command('master-key').description('the key that stored secrets are sealed with');
  const rotate = withJson(
    withYes(masterKey.command('rotate').description('replace it, and seal every stored secret anew, while requests go on')),
    'panicly master-key rotate --yes',
  );
  withNotes(rotate, ...FROM_ENVIRONMENT).action(async (options: DestroyingOptions) => {
    await confirm(io, options, 'replace the master key; backups made before keep needing the one of now');
    show(io, options, await client().postSlowly<MasterKeyRotationJson>('/master-key/rotate'), rotationText);
  });
}

function rotationText({ source, resealed, unreadable }: MasterKeyRotationJson): string {
  const lost = unreadable === 0 ? '' : `${unreadable} could not be opened with any key, and stay as they were.\n`;
  const next =
    source === 'environment'
      ? 'Now set PANICLY_MASTER_KEY to the new key and take PANICLY_MASTER_KEY_NEW away.\n'
      : 'Backups made before need the key that was in master.key then; make a new backup.\n';
  return `${resealed} stored secrets are sealed with the new master key.\n${lost}${next}`;
}
