import type { Office } from '../office.ts';
import { warn, well, type Finding } from './finding.ts';
import { listed } from './people.ts';

const DAY_MS = 86_400_000;
const LATELY_MS = 7 * DAY_MS;
const OLD_LIST_DAYS = 120;

/** How old the price list is. */
export function priceListAge({ prices, engine }: Office): Finding {
  const { asOf } = prices.list.version;
  const days = Math.floor((engine.nowMs() - Date.parse(asOf)) / DAY_MS);
  if (days <= OLD_LIST_DAYS) return well('price list', `its prices are of ${asOf}`);
  return warn(
    'price list',
    `its prices are of ${asOf}, ${days} days ago`,
    'panicly prices refresh FILE (with a newer list), or a newer version of Panicly',
  );
}

/** Models that live keys used in the last days and that no price is known for. */
export async function unpricedModels({ store, directory, prices, engine }: Office): Promise<Finding> {
  const lines = await store.usage({ groupBy: ['model', 'project'], fromMs: engine.nowMs() - LATELY_MS, environment: 'live' });
  const connections = new Map([...directory.projects()].map((entry) => [entry.project.id, entry.connections]));
  const unpriced = lines.filter(({ model, projectId = 0 }) => {
    const names = (model ?? '').split(',').filter((name) => name !== '');
    const isPriced = (name: string) =>
      (connections.get(projectId) ?? []).some(({ kind, baseUrl }) => prices.current.resolve(kind, baseUrl, name)?.unpriced === false);
    return names.some((name) => !isPriced(name)) && (connections.get(projectId)?.length ?? 0) > 0;
  });
  const names = [...new Set(unpriced.map(({ model }) => model ?? ''))];
  if (names.length === 0) return well('price coverage', 'every model that was used in the last 7 days has a price');
  return warn(
    'price coverage',
    `no price is known for ${listed(names)}, used in the last 7 days`,
    'panicly prices set PROVIDER/MODEL --input USD --output USD',
  );
}
