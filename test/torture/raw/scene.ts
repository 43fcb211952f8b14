import { join } from 'node:path';
import type { Panicly } from '../../support/binary.ts';
import { reading } from '../../support/ledger-file.ts';
import { markerOf } from '../../support/mixed-load.ts';
import type { MockProvider } from '../../support/mock-provider.ts';
import { inLanes, portOf } from '../kit/judge.ts';
import { answerTo, markers, shotOf, type Score, type Shot, type Way } from './judge.ts';
import { behind, chat, type Parts, type Vector } from './table/vector.ts';
import { talk, type Talk, type Wish } from './talk.ts';

/** All that an attack works with. */
export interface Scene {
  readonly panicly: Panicly;
  readonly provider: MockProvider;
  readonly score: Score;
  /** What was sent, by the name of the vector on its way. */
  readonly shots: Map<string, Shot>;
}

const DIRECT_LANES = 12;

function partsOf({ panicly }: Scene, way: string, index: number): Parts {
  return { key: panicly.liveKey, operatorToken: panicly.operatorToken, name: `${way}.${index}` };
}

function fire(scene: Scene, way: Way, vector: Vector, index: number): Shot {
  const parts = partsOf(scene, way, index);
  const shot = shotOf(way, vector, parts);
  scene.shots.set(parts.name, shot);
  return shot;
}

/** Every vector on a connection of its own; what comes behind it at once, or when it is answered. */
export async function directly(
  scene: Scene,
  way: 'direct' | 'late',
  vectors: readonly Vector[],
  port = portOf(scene.panicly),
): Promise<void> {
  await inLanes(vectors.entries(), DIRECT_LANES, async ([index, vector]) => {
    const shot = fire(scene, way, vector, index);
    const back = await talk({ port, ...wishOf(scene, shot, index), mustClose: shot.strict.end !== 'clean' });
    scene.score.answers(shot, back);
    scene.score.refusal(shot, back);
    if (index % 8 === 0) await clean(scene, shot, port);
  });
}

function wishOf(scene: Scene, shot: Shot, index: number): Omit<Wish, 'port' | 'mustClose'> {
  const { vector, strict, lax, text, way } = shot;
  const methods = (strict.end === 'clean' || way === 'nginx' ? lax : strict).requests.map(({ method }) => method);
  const usual = { end: vector.end, pieces: vector.pieces };
  if (way !== 'late' || !vector.hasCanaries) return { ...usual, text, methods };
  const parts = partsOf(scene, way, index);
  const later = behind(parts);
  return {
    ...usual,
    text: vector.text(parts),
    methods: strict.end === 'clean' ? methods : ['POST', ...later.map(() => 'POST')],
    later,
    isImpatient: strict.end !== 'clean',
  };
}

/** Every vector behind nginx, followed by a request in order on the same connection, and by one of another client. */
export async function behindNginx(scene: Scene, vectors: readonly Vector[], lanes: readonly number[]): Promise<void> {
  const entries = vectors.entries();
  await Promise.all(lanes.map((port) => inLanes(entries, 1, ([index, vector]) => oneBehind(scene, port, vector, index))));
}

async function oneBehind(scene: Scene, port: number, vector: Vector, index: number): Promise<void> {
  const shot = fire(scene, 'nginx', vector, index);
  const { lax } = shot;
  const isWhole = lax.end === 'clean';
  const wish = wishOf(scene, shot, index);
  const same = isWhole ? { later: [chat(partsOf(scene, 'nginx', index), 'same')], methods: [...wish.methods, 'POST'] } : {};
  const back = await talk({ port, ...wish, ...same, mustClose: !isWhole });
  const own = lax.requests.length;
  const isFollowed = isWhole && back.answers.length === own + 1;
  scene.score.answers(shot, { ...back, answers: back.answers.slice(0, isFollowed ? -1 : undefined) });
  if (isFollowed) mustAnswer(scene, shot, back.answers.at(-1)!, `same-${shot.name}`);
  await clean(scene, shot, port);
}

/** A request in order of somebody else has to get its own answer. */
async function clean(scene: Scene, shot: Shot, port: number): Promise<void> {
  const text = chat({ key: scene.panicly.liveKey, operatorToken: '', name: shot.name }, 'other');
  const back: Talk = await talk({ port, text, methods: ['POST'], mustClose: false });
  const [answer] = back.answers;
  if (answer === undefined) scene.score.found(shot, 'the next client gets no answer');
  else mustAnswer(scene, shot, answer, `other-${shot.name}`);
  if (back.answers.length > 1) scene.score.found(shot, 'the next client gets more than its answer');
}

function mustAnswer(
  { score }: Scene,
  shot: Shot,
  { status, body }: { readonly status: number; readonly body: string },
  marker: string,
): void {
  if (status !== 200 || !body.includes(answerTo(marker)))
    score.found(shot, `a request in order afterwards gets ${status}`, `${marker}: ${body.slice(0, 120)}`);
}

/** Paths behind an nginx that lets no operator route through: with the right token nothing may come of them. */
export async function fenced(scene: Scene, vectors: readonly Vector[], fences: readonly number[]): Promise<void> {
  const chosen = vectors.flatMap((vector) =>
    vector.family.startsWith('path to operators') ? fences.map((port) => ({ port, vector })) : [],
  );
  await inLanes(chosen.entries(), 4, async ([index, { port, vector }]) => {
    const parts = partsOf(scene, 'fence', index);
    const text = vector.text(parts);
    scene.shots.set(parts.name, { way: 'nginx', name: parts.name, vector, text, strict: NOTHING, loose: NOTHING, lax: NOTHING });
    await talk({ port, text, methods: ['POST'], mustClose: false });
  });
}

const NOTHING = { requests: [], end: 'refuse', why: 'a fence' } as const;

/** Compares what was executed with what anybody may read in what was sent. The server has stopped. */
export function executed({ panicly, provider, shots, score }: Scene): void {
  const arrived = counted(provider.seen.map(markerOf));
  const [decided, allowed, projects] = reading(join(panicly.dataDir, 'panicly.db'), (db) => {
    const column = (sql: string) =>
      counted(
        db
          .query<{ marker: string }, []>(sql)
          .all()
          .map(({ marker }) => marker),
      );
    return [
      column('SELECT end_user AS marker FROM decisions WHERE end_user IS NOT NULL'),
      column('SELECT end_user AS marker FROM decisions WHERE end_user IS NOT NULL AND reason IS NULL'),
      column('SELECT name AS marker FROM projects'),
    ];
  });
  for (const [name, shot] of shots) {
    const own = (all: ReadonlyMap<string, number>) => [...all].filter(([marker]) => marker.endsWith(`-${name}`));
    for (const [what, all] of [
      ['reached the provider', arrived],
      ['was decided', decided],
      ['was done for an operator', projects],
    ] as const)
      for (const [marker, count] of own(all)) oneExecuted(score, shot, what, marker, count);
    for (const [marker, count] of own(arrived))
      if (allowed.get(marker) !== count) score.found(shot, 'reached the provider without its decision', marker);
    if (
      shot.vector.name === 'nothing odd' &&
      shot.way !== 'direct' &&
      own(decided).length - followers(own(decided)) + own(projects).length !== 3
    )
      score.found(shot, 'a request in order, or one of the two behind it, was not executed: the row proves nothing');
  }
}

function oneExecuted(score: Score, shot: Shot, what: string, marker: string, count: number): void {
  if (count > 1) score.found(shot, `${what} ${count} times`, marker);
  if (marker.startsWith('same-') || marker.startsWith('other-')) return;
  if (!markers(shot.lax).includes(marker)) score.found(shot, `smuggled: what nobody may call a request ${what}`, marker);
  else if (shot.strict.end === 'partial' && !markers(shot.loose).includes(marker)) score.found(shot, `${what} before its end`, marker);
}

function followers(all: readonly (readonly [string, number])[]): number {
  return all.filter(([marker]) => marker.startsWith('same-') || marker.startsWith('other-')).length;
}

function counted(markers: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const marker of markers) counts.set(marker, (counts.get(marker) ?? 0) + 1);
  return counts;
}
