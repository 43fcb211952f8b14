import { runPanicly, type Panicly } from '../../support/binary.ts';

/** The port of a running server. */
export function portOf(panicly: Panicly): number {
  return Number(new URL(panicly.url).port);
}

/** What `panicly ledger verify` has against the ledger of a server that does not run. */
export async function verifyFindings(dataDir: string): Promise<string[]> {
  const verified = await runPanicly(['ledger', 'verify', '--data', dataDir]);
  return verified.code === 0 ? [] : [`ledger verify: ${`${verified.stdout}${verified.stderr}`.slice(0, 400)}`];
}

/** Stops the server in order; a finding when it does not end with 0. */
export async function stopFindings(panicly: Panicly): Promise<string[]> {
  const code = await panicly.stop();
  return code === 0 ? [] : [`the server ended with ${code}: ${panicly.stderr().slice(-400)}`];
}

/** The reason in an error body of ours, or null for anything else. */
export function reasonOf(body: string): string | null {
  try {
    return (JSON.parse(body) as { readonly error?: { readonly reason?: string } }).error?.reason ?? null;
  } catch {
    return null;
  }
}

/** Runs `work` on every item, at most `lanes` at a time. */
export async function inLanes<Item>(items: Iterable<Item>, lanes: number, work: (item: Item) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Like findings, with equal ones counted instead of repeated. */
export class Findings {
  readonly #counts = new Map<string, { count: number; example: string }>();

  /** `kind` is the same for equal findings; `example` says where. */
  add(kind: string, example = ''): void {
    const known = this.#counts.get(kind);
    if (known) known.count++;
    else this.#counts.set(kind, { count: 1, example });
  }

  list(): string[] {
    return [...this.#counts].map(([kind, { count, example }]) => `${count} times: ${kind}${example === '' ? '' : ` (such as ${example})`}`);
  }
}
