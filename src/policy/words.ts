import { formatUsd, type NanoUsd } from '../domain/money.ts';
import { shellWord } from '../domain/shell-word.ts';
import type { CompiledPolicy } from './compiled.ts';

/** `10.00 USD`. */
export function usdText(amount: NanoUsd): string {
  return `${formatUsd(amount)} USD`;
}

/** `1 request`, `600 requests`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `60 seconds`, `90 minutes`, `36 hours`, `7 days`: the largest unit that divides the stretch. */
export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds % 86_400 === 0) return counted(seconds / 86_400, 'day');
  if (seconds % 3_600 === 0) return counted(seconds / 3_600, 'hour');
  return seconds % 60 === 0 && seconds > 60 ? counted(seconds / 60, 'minute') : counted(seconds, 'second');
}

/** A time as people and programs read it: `2026-11-23T00:00:00Z`. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** The command that puts a changed policy into force, to end a remedy with. */
export function policyCommand(policy: CompiledPolicy, owner: 'project' | 'workspace' = 'project'): string {
  return `panicly policy set FILE --${owner} ${shellWord(policy.names[owner])}`;
}

/** The command that makes a model known, to end a remedy with. `model` is as it may stand in a message. */
export function priceCommand(model: string): string {
  return `panicly prices set ${shellWord(`PROVIDER/${model}`)} --input-usd-per-million 1.00 --output-usd-per-million 2.00`;
}

/** Whole seconds to wait, at least one. */
export function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((atMs - nowMs) / 1000));
}

/** A client's own text, shortened and without control characters, so that it may stand in a message. */
export function quoted(text: string): string {
  const plain = text.slice(0, 80).replace(/[^\x20-\x7e]/g, '?');
  return text.length > 80 ? `${plain}...` : plain;
}
