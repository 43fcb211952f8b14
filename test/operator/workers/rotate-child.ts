/** A process that fills a data directory with secrets, begins to change the master key, and kills itself at the step that it is told. */
import { linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rotateMasterKey } from '../../../src/operator/master-key.ts';
import { connectMock, watch } from '../master-key.ts';
import { startScenarioIn } from '../../support/scenario.ts';

const [dataDir, baseUrl, step] = process.argv.slice(2) as [string, string, string];
const scenario = await startScenarioIn(dataDir);
await connectMock(scenario, baseUrl);
await watch(scenario);
writeFileSync(join(dataDir, 'made.json'), JSON.stringify(scenario.made));

const { keyHome } = scenario.office;
const [begin, swap] = [keyHome.begin.bind(keyHome), keyHome.swap.bind(keyHome)];
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('still there');
};

const steps: Readonly<Record<string, () => void>> = {
  begun: () => {
    keyHome.begin = () => begin() && die();
  },
  sealed: () => {
    keyHome.swap = die;
  },
  linked: () => {
    keyHome.swap = () => {
      linkSync(join(dataDir, 'master.key'), join(dataDir, 'master.key.old'));
      die();
    };
  },
  swapped: () => {
    keyHome.swap = () => {
      swap();
      die();
    };
  },
  done: () => {
    keyHome.forget = die;
  },
};
steps[step]!();
await rotateMasterKey(scenario.office, { id: 'system', ip: null });
