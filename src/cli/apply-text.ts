import type { ConfigurationPlanJson } from '../http/schemas/operator.ts';
import { printable } from './output.ts';

type Entry = ConfigurationPlanJson['changes'][number];
type Field = Entry['fields'][number];

const SIGNS = { create: '+', change: '~', remove: '-' } as const;

/** The word at the end of a line that lets more pass than before: what a reviewer looks for. */
export const LOOSENS = 'LOOSENS';

/** A plan for people: what is made, changed and removed, value by value, and a sum. */
export function planText(plan: ConfigurationPlanJson): string {
  const entries = plan.changes.map((entry) => `${entryText(entry)}\n`).join('');
  return `${entries}${sumText(plan)}${absentText(plan)}`;
}

/** Why a plan has to be confirmed, as the end of "this will ..."; null when it need not be. */
export function confirmText({ changes }: ConfigurationPlanJson): string | null {
  const reasons = changes.flatMap(({ confirm }) => confirm);
  return reasons.length === 0 ? null : printable(reasons.join('; '));
}

function entryText({ action, noun, name, fields, notes }: Entry): string {
  const head = `${SIGNS[action]} ${noun} ${printable(name)}\n`;
  const lines = fields.map((field) => `    ${fieldText(field)}\n`);
  return head + lines.join('') + notes.map((note) => `    note: ${printable(note)}\n`).join('');
}

function fieldText({ path, before, after, loosens }: Field): string {
  const values =
    before === undefined ? `+ ${shown(after)}` : after === undefined ? `- ${shown(before)}` : `${shown(before)} -> ${shown(after)}`;
  return `${printable(path)}  ${values}${loosens ? `  ${LOOSENS}` : ''}`;
}

function shown(value: unknown): string {
  return value === null ? 'unlimited' : printable(JSON.stringify(value));
}

function sumText({ changes, unchanged }: ConfigurationPlanJson): string {
  if (changes.length === 0) return `Nothing to do: ${unchanged} unchanged.\n`;
  const count = (action: Entry['action']) => changes.filter((entry) => entry.action === action).length;
  const loosening = changes.flatMap(({ fields }) => fields).filter(({ loosens }) => loosens).length;
  const sum = `${count('create')} to create, ${count('change')} to change, ${count('remove')} to remove, ${unchanged} unchanged.`;
  return loosening === 0 ? `${sum}\n` : `${sum} ${loosening === 1 ? '1 line loosens a limit' : `${loosening} lines loosen a limit`}.\n`;
}

function absentText({ not_in_file: absent }: ConfigurationPlanJson): string {
  if (absent.length === 0) return '';
  const names = absent.map(({ noun, name, removable }) => `    ${noun} ${printable(name)}${removable ? '' : ' (cannot be removed)'}\n`);
  const hint = absent.some(({ removable }) => removable) ? ' --prune removes what can be removed.' : '';
  return `Not in the file, and left as it is:${hint}\n${names.join('')}`;
}
