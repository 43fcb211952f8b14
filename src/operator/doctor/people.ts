import type { Office } from '../office.ts';
import { warn, well, type Finding } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 14 * DAY_MS;

/** Project keys that end soon. Those that have ended say so to whoever uses them. */
export function expiringKeys({ registry, engine }: Office): Finding {
  const nowMs = engine.nowMs();
  const soon = [...registry.keys.values()].filter(({ revokedAtMs, expiresAtMs }) => revokedAtMs === null && isSoon(expiresAtMs, nowMs));
  if (soon.length === 0) return well('keys', 'none ends within 14 days');
  return warn(
    'keys',
    `${listed(soon.map(({ name, publicId }) => `${name} (${publicId})`))} end within 14 days`,
    'panicly keys rotate KEY --overlap 86400',
  );
}

/** Operator tokens that end soon or have ended. */
export function expiringOperators({ registry, engine }: Office): Finding {
  const nowMs = engine.nowMs();
  const operators = registry.operators();
  const ended = operators.filter(({ expiresAtMs }) => expiresAtMs !== null && expiresAtMs <= nowMs);
  const soon = operators.filter(({ expiresAtMs }) => isSoon(expiresAtMs, nowMs));
  if (soon.length > 0)
    return warn('operators', `tokens of ${listed(soon.map(({ name }) => name))} end within 14 days`, 'panicly operators create NAME');
  if (ended.length > 0)
    return warn('operators', `tokens of ${listed(ended.map(({ name }) => name))} have ended`, 'panicly operators remove ID --yes');
  return well('operators', 'no token has ended or ends within 14 days');
}

function isSoon(expiresAtMs: number | null, nowMs: number): boolean {
  return expiresAtMs !== null && expiresAtMs > nowMs && expiresAtMs <= nowMs + SOON_MS;
}

/** The first few of them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
