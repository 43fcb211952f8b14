import { newSecret } from '../../src/domain/key.ts';
import { contenderOf, inTurns, OUT_OF_REACH, startOurs, timesTheCost, type Cost, type Work } from './contenders.ts';
import { startPeer } from './processes.ts';
import { figure, judged, type Row } from './table.ts';

const WORK: Work = { body: 'small', connections: 64, requests: 8_000 };
const WARM_UP = 40_000;
const ROUNDS = 5;
const SHAPE = 'denied requests';
/** A denied request costs at most a third of an allowed one. */
const LEAST_RATIO = 3;

/** What is refused must be cheap: an attacker sends as many as he likes. Allowed and denied rounds are measured one after the other. */
export async function denied(): Promise<Row[]> {
  const upstream = await startPeer('upstream.ts');
  const { panicly, contender } = await startOurs(upstream);
  await using _ours = panicly;
  const project = await panicly.projectId();
  const measure = async (who: typeof contender, status: number): Promise<Cost> =>
    (await inTurns([who], { ...WORK, status }, ROUNDS, WARM_UP))[0]!;
  const sentry = (enabled: boolean) => panicly.ask(`/projects/${project}/sentry`, { method: 'PUT', body: { enabled } });

  const allowed = await measure(contender, 200);
  const badKey = await measure(contenderOf(panicly, 'bad key', newSecret('pk_live_')), 401);
  await sentry(true);
  const stopped = await measure({ ...contender, name: 'Sentry Mode' }, 403);
  await sentry(false);
  await panicly.policy({ ...OUT_OF_REACH, budgets: [{ scope: 'project', period: 'day', limit_usd: '0' }] });
  const broke = await measure({ ...contender, name: 'budget' }, 403);
  return [
    figure(SHAPE, 'allowed', `${allowed.cpuMicroseconds.toFixed(1)} us CPU`),
    ...[badKey, stopped, broke].map((cost) => {
      const ratio = timesTheCost(allowed, cost);
      const text = `${cost.cpuMicroseconds.toFixed(1)} us CPU, ${ratio.toFixed(1)} times cheaper`;
      return judged(SHAPE, cost.who.name, text, `at least ${LEAST_RATIO} times`, ratio >= LEAST_RATIO);
    }),
  ];
}
