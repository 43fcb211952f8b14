import type { StoredConnection } from '../../ledger/store.ts';
import { requestHeaders } from '../../upstream/headers.ts';
import { upstreamUrl } from '../../upstream/providers.ts';
import type { UpstreamFailure } from '../../upstream/upstream.ts';
import { VERSION } from '../../version.ts';
import { credentialOf } from '../credentials.ts';
import type { Office } from '../office.ts';
import { fail, warn, well, type Finding } from './finding.ts';

const ANSWER_MS = 5_000;
const AT_ONCE = 8;
const MOST_CONNECTIONS = 100;

/** Asks every connection for its list of models, with its key: what providers do not bill. */
export async function providersReached(office: Office): Promise<Finding[]> {
  const all = [...office.registry.connections.values()];
  const findings: Finding[] = [];
  for (let from = 0; from < Math.min(all.length, MOST_CONNECTIONS); from += AT_ONCE)
    findings.push(...(await Promise.all(all.slice(from, from + AT_ONCE).map((stored) => reached(office, stored)))).flat());
  if (all.length === 0)
    findings.push(
      warn('providers', 'there is none: only test keys are answered', 'panicly providers add --kind openai --api-key-env OPENAI_API_KEY'),
    );
  if (all.length > MOST_CONNECTIONS)
    findings.push(warn('providers', `only the first ${MOST_CONNECTIONS} of ${all.length} were asked`, 'ask the others by hand'));
  return findings;
}

async function reached(office: Office, stored: StoredConnection): Promise<Finding[]> {
  const { connection } = stored;
  const check = `provider ${office.registry.projects.get(connection.projectId)?.name ?? '?'}/${connection.name}`;
  const secret = revealed(office, stored);
  if (secret.problem !== null) return [fail(check, ...secret.problem)];
  const startedMs = office.clock.monotonicMs();
  const answer = await office.surroundings.upstream.send({
    url: upstreamUrl(connection, 'models'),
    method: 'GET',
    headers: requestHeaders(new Headers({ accept: 'application/json' }), { secret: secret.key, userAgent: `panicly/${VERSION}` }),
    body: null,
    signal: AbortSignal.timeout(ANSWER_MS),
    firstByteMs: ANSWER_MS,
    idleMs: ANSWER_MS,
  });
  if (answer.kind !== 'answer') return [notReached(check, answer, connection.publicId)];
  // The list itself is of no interest, and may be long.
  answer.abort();
  return [judged(check, answer.status, Math.round(office.clock.monotonicMs() - startedMs), connection.publicId)];
}

/** The key of a connection, or why there is none and what to do. */
function revealed(
  office: Office,
  stored: StoredConnection,
): { readonly key: string | null; readonly problem: readonly [found: string, fix: string] | null } {
  const { secret, connection } = stored;
  try {
    const key = credentialOf(stored, office.masterKey).reveal();
    if (key !== null || secret.kind !== 'environment') return { key, problem: null };
    return {
      key,
      problem: [`the variable ${secret.name} is not set in the environment of the server`, `set ${secret.name} and restart the server`],
    };
  } catch {
    const fix = `bring back the master key that it was stored with, or: panicly providers update ${connection.publicId} --api-key - < key.txt`;
    return { key: null, problem: ['its key cannot be opened with this master key', fix] };
  }
}

function judged(check: string, status: number, tookMs: number, id: string): Finding {
  if (status === 401 || status === 403)
    return fail(check, `refuses our key (status ${status})`, `panicly providers update ${id} --api-key - < key.txt`);
  if (status === 404 || status === 405) return well(check, `answers within ${tookMs} ms, and has no list of models`);
  if (status === 429) return warn(check, 'answers that there were too many requests (status 429)', 'look at the limits of the account');
  if (status >= 500) return warn(check, `answers with status ${status}`, 'look at the status page of the provider');
  return status < 300
    ? well(check, `answers within ${tookMs} ms`)
    : warn(check, `answers with status ${status}`, `check its base URL: panicly providers update ${id} --base-url URL`);
}

const WORDS: Readonly<Record<UpstreamFailure['kind'], string>> = {
  unreachable: 'cannot be reached',
  reset: 'ends the connection',
  malformed: 'does not speak HTTP',
  timeout: `says nothing for ${ANSWER_MS / 1000} seconds`,
  aborted: `says nothing for ${ANSWER_MS / 1000} seconds`,
  redirect: 'sends to another address, which is not followed',
};

function notReached(check: string, { kind, code }: UpstreamFailure, id: string): Finding {
  return fail(check, `${WORDS[kind]} (${code})`, `check network, proxy and base URL (panicly providers update ${id} --base-url URL)`);
}
