import type { Office } from '../office.ts';

/** Reads again from the disk what a configuration is about: for when nobody can say what was written of it. */
export async function takeOverAll({ store, registry, prices, alerts, inFlight }: Office): Promise<void> {
  const there = await store.loadDirectory();
  for (const workspace of there.workspaces) registry.putWorkspace(workspace);
  for (const project of there.projects) registry.putProject(project);
  for (const policy of there.policies) registry.putPolicy(policy);
  for (const connection of there.connections) registry.putConnection(connection);
  for (const alert of there.alerts) alerts.book.put(alert);
  for (const price of there.prices) prices.put(price);
  const ids = (rows: readonly { readonly id: number }[]) => new Set(rows.map(({ id }) => id));
  const [projects, connections, living] = [
    ids(there.projects),
    ids(there.connections.map(({ connection }) => connection)),
    ids(there.alerts),
  ];
  for (const [id, stored] of registry.connections) if (!connections.has(id)) registry.dropConnection(stored);
  for (const id of registry.projects.keys()) if (!projects.has(id)) registry.dropProject(id);
  for (const { alert } of alerts.book.all()) if (!living.has(alert.id)) alerts.book.drop(alert.id);
  const set = new Set(there.prices.map(({ provider, model }) => `${provider}/${model.toLowerCase()}`));
  for (const { override, author, atMs } of prices.overrides())
    if (!set.has(`${override.provider}/${override.model.toLowerCase()}`))
      prices.put({ seq: prices.current.version, provider: override.provider, model: override.model, price: null, author, atMs });
  inFlight.cut('cut_revoked', ({ projectId }) => !projects.has(projectId));
}
