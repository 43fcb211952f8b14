import type { Findings } from '../kit/judge.ts';
import { known } from './known.ts';
import { readHttp, type Reading } from './oracle.ts';
import { behind, type Parts, type Vector } from './table/vector.ts';
import type { Talk } from './talk.ts';

/** Which way a vector takes to the server: all at once, with what comes behind it only after its answer, or through a proxy. */
export type Way = 'direct' | 'late' | 'nginx';

/** A vector as it was sent. */
export interface Shot {
  readonly way: Way;
  /** The end of all its markers. */
  readonly name: string;
  readonly vector: Vector;
  readonly text: string;
  /** What a strict reader sees. */
  readonly strict: Reading;
  /** What the most tolerant reader sees that the RFC allows. */
  readonly loose: Reading;
  /** What anybody sees who does not lose count of the bytes. */
  readonly lax: Reading;
}

/** The bytes of a vector with what comes behind it, and what they mean. */
export function shotOf(way: Way, vector: Vector, parts: Parts): Shot {
  const text = vector.text(parts) + (vector.hasCanaries ? behind(parts).join('') : '');
  return {
    way,
    name: parts.name,
    vector,
    text,
    strict: readHttp(text, 'strict'),
    loose: readHttp(text, 'loose'),
    lax: readHttp(text, 'lax'),
  };
}

/** The markers of the requests that anybody may execute, in their order; null where a request carries none. */
export function markers(reading: Reading): (string | null)[] {
  return reading.requests.map(({ body }) => markerIn(body));
}

/** The marker in a body that is JSON. */
export function markerIn(body: string): string | null {
  try {
    const { user, name } = JSON.parse(body) as { readonly user?: unknown; readonly name?: unknown };
    return typeof user === 'string' ? user : typeof name === 'string' ? name : null;
  } catch {
    return null;
  }
}

/** What the answers to a chat request of a marker hold. */
export function answerTo(marker: string): string {
  return `for ${marker}.`;
}

const ANSWER = /"for ((?:seen|behind|inside|row\d)-[\w.]+)\."/;

/** Keeps score of the vectors. */
export class Score {
  readonly counts = { refused: 0, silentlyClosed: 0, served: 0, waited: 0 };
  readonly #known = new Map<string, number>();

  constructor(readonly findings: Findings) {}

  /** A finding, unless it is one that we know and cannot see from where we stand. */
  found(shot: Shot, what: string, example = ''): void {
    const why = known(shot, what);
    if (why !== null) this.#known.set(why, (this.#known.get(why) ?? 0) + 1);
    else this.findings.add(`${shot.way}: ${what}: ${shot.vector.family}: ${shot.vector.name.slice(0, 80)}`, example);
  }

  known(): string[] {
    return [...this.#known].map(([why, count]) => `${count} times ${why}`);
  }

  /** What holds for the answers on any way: none is another's, none too many, no failure. */
  answers(shot: Shot, { answers, rest }: Talk): void {
    const wanted = markers(shot.lax);
    const most = wanted.length + (shot.lax.end === 'clean' && shot.strict.end === 'clean' ? 0 : 1);
    for (const [index, { status, body }] of answers.entries()) {
      if (status >= 500 && status !== 501 && status !== 505) this.found(shot, `answered with ${status}`, body.slice(0, 120));
      const answered = ANSWER.exec(body)?.[1];
      if (answered !== undefined && answered !== wanted[index])
        this.found(shot, 'an answer to another request', `${answered}, not ${wanted[index]}`);
    }
    if (answers.length > most) this.found(shot, 'more answers than requests', answers.map(({ status }) => status).join(', '));
    if (rest !== '' && !rest.startsWith('HTTP/1.1 ') && !(shot.way === 'nginx' && rest.startsWith('<html>')))
      this.found(shot, 'bytes that are no answer', rest.slice(0, 80));
  }

  /** Directly, what a strict reader does not take has to be refused, and its connection closed. */
  refusal(shot: Shot, talk: Talk): void {
    const { requests, end, why } = shot.strict;
    const first = talk.answers[0]?.status;
    if (first === undefined) this.counts[talk.closed ? 'silentlyClosed' : 'waited']++;
    else this.counts[first >= 400 ? 'refused' : 'served']++;
    if (end !== 'refuse') return;
    const last = talk.answers.at(-1)?.status;
    const isTaken = talk.answers.length > requests.length && last! < 400;
    if (isTaken || talk.answers.length > requests.length + 1) this.found(shot, `taken, though there is ${why}`);
    else if (!talk.closed) this.found(shot, `its connection stays open, though there is ${why}`, `answered with ${last ?? 'nothing'}`);
    // Two requests at once are not served: who sends the second while the first one is in flight gets no answer to either.
    else if (last === undefined && shot.way === 'late') this.found(shot, `closed without a word, though there is ${why}`);
  }
}
