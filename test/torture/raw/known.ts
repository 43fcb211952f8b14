import type { Shot } from './judge.ts';

/** Something that the server below us does and our code cannot see, or that is as it should be; it harms nobody. */
interface Known {
  readonly why: string;
  readonly holds: (shot: Shot, what: string) => boolean;
}

const TAKEN = 'taken, though there is ';

/**
 * What we know and leave. None of these may hold for anything that was executed and was no request, was executed twice, or was answered
 * to somebody else: those findings have other words.
 */
const KNOWN: readonly Known[] = [
  {
    why: 'a backslash, or an authority with a user or none, in the address of an own route: the server has tidied it away before we see it',
    holds: ({ vector, text }, what) =>
      vector.family !== 'path to operators, with a token' &&
      what.startsWith(TAKEN) &&
      /(?:a target|authority) that is none$/.test(what) &&
      /^POST \S*(?:\\|@|http:\/\/\/)/.test(text),
  },
  {
    why: 'an authority with a user on the way to operators: the server drops the authority, the token is what counts',
    holds: ({ vector }, what) => what.startsWith(TAKEN) && vector.family === 'path to operators, with a token' && vector.name === 'a user',
  },
  {
    why: 'a Host that is missing in HTTP/1.0 or comes twice, where every Host gets the same (health, documentation)',
    holds: ({ vector }, what) =>
      /^taken, though there is [02] hosts$/.test(what) && /^\/(?:healthz|readyz|docs|openapi\.json)$/.test(vector.name),
  },
  {
    why: 'DEL in a header value, which RFC 9110 lets a server keep; nothing of it is passed on',
    holds: ({ vector }, what) => what.startsWith(TAKEN) && vector.name === 'DEL in a value',
  },
  {
    why: 'a method that the server does not know closes the connection without a word (502 behind nginx)',
    holds: ({ way, vector }, what) =>
      way === 'nginx' && what === 'answered with 502' && (vector.family === 'method' || vector.name === 'letters behind the body'),
  },
  {
    why: 'a whole body whose last chunk lacks its empty line is served when the client goes (nothing of it is read otherwise)',
    holds: ({ vector }, what) => what.endsWith(' before its end') && vector.name.startsWith('a last chunk without its end'),
  },
  {
    why: 'a refusal that a client, still sending, does not see for the reset that follows',
    holds: ({ vector }, what) => vector.family === 'flood' && what.startsWith('closed without a word'),
  },
];

/** Why a finding is none that we could mend, or null. */
export function known(shot: Shot, what: string): string | null {
  return KNOWN.find(({ holds }) => holds(shot, what))?.why ?? null;
}
