import { readEnvironmentVariable } from '../../config.ts';
import { isProviderVariable } from '../providers.ts';
import type { Office } from '../office.ts';
import type { LivingAlert } from '../alerts/definition.ts';
import { revealed, type AlertSecret } from '../alerts/secrets.ts';
import { STORED, type AlertEntry } from './document.ts';
import { wrong } from './read.ts';

/** What becomes of the address or the signing secret of an alert. */
export interface AlertSecretPlan {
  /** What it will be; null is none. Never shown. */
  readonly value: string | null;
  /** Whether there will be one. */
  readonly standing: boolean;
  /** Whether it is another one than before. True for a new alert. */
  readonly changes: boolean;
}

/** Reads what the file names: a variable of the server's environment, what is stored already, or nothing. Throws a Refusal. */
export function alertSecret(
  office: Office,
  path: string,
  which: AlertSecret,
  entry: AlertEntry,
  existing: LivingAlert | null,
): AlertSecretPlan {
  const variable = which === 'url' ? entry.url_env : entry.secret_env;
  const isKept = entry[which] === STORED;
  if (isKept && variable !== undefined) throw wrong(`${path}.${which}`, `Give ${which} or ${which}_env, not both.`);
  const before = existing === null ? null : knownOf(office, which, existing);
  if (isKept && before === null) throw wrong(`${path}.${which}`, `The server has none for this alert: name a variable with ${which}_env.`);
  const value = isKept ? before : variable === undefined ? null : fromEnvironment(path, which, variable);
  return { value, standing: value !== null, changes: value !== before };
}

function fromEnvironment(path: string, which: AlertSecret, variable: string): string {
  const field = `${path}.${which}_env`;
  if (!isProviderVariable(variable)) throw wrong(field, 'This is not the name of an environment variable that may hold a secret.');
  const value = readEnvironmentVariable(variable);
  if (value === null) throw wrong(field, `${variable} is not set in the environment of the server.`);
  if (which === 'secret' && !/^[!-~]{16,512}$/.test(value)) throw wrong(field, `${variable} must hold 16 to 512 visible ASCII characters.`);
  return value;
}

/** One that another master key sealed is as good as none: what the file names takes its place. */
function knownOf({ masterKey }: Office, which: AlertSecret, { alert }: LivingAlert): string | null {
  try {
    return revealed(alert, which, masterKey);
  } catch {
    return null;
  }
}
