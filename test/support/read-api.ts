import type { Panicly } from './binary.ts';
import type { Places } from './canaries.ts';

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly schema?: Described;
}

/** A schema as far as the values that it names. */
interface Described {
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly Described[];
}

interface Document {
  readonly paths: Readonly<Record<string, { readonly get?: { readonly parameters?: readonly Parameter[] } }>>;
}

type Row = Readonly<Record<string, unknown>>;

/** More of a kind than this are like those before. */
const MAX_IDS = 12;
const PREFIX = '/admin/v1';

/**
 * Asks every GET route that the server's own OpenAPI document has, for things that exist, once plain and once for every value that a
 * parameter of the query can have. `stir` makes a decision, for routes that wait for one. Throws for a route that has nothing to show.
 */
export async function readApi(server: Panicly, places: Places, stir: () => Promise<Response>): Promise<void> {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as Document;
  const gets = Object.entries(document.paths).flatMap(([path, { get }]) =>
    get === undefined ? [] : [[path, get.parameters ?? []] as const],
  );
  for (const [path, parameters] of gets) {
    const [first, ...others] = await addressesOf(server, path);
    if (first === undefined) throw new Error(`there is nothing to ask GET ${path} for`);
    for (const address of [first, ...others, ...queriesOf(parameters).map((query) => `${first}?${query}`)]) {
      await read(server, places, address, stir);
    }
  }
  for (const path of ['/openapi.json', '/docs']) await places.keep(`GET ${path}`, await fetch(server.url + path));
}

async function read(server: Panicly, places: Places, address: string, stir: () => Promise<Response>): Promise<void> {
  const token = address.startsWith('/v1/') ? server.liveKey : server.operatorToken;
  const socket = new AbortController();
  const response = await fetch(server.url + address, { headers: { authorization: `Bearer ${token}` }, signal: socket.signal });
  // Whether a parameter goes with none of the others is the server's business; its refusal is a place as well.
  if (!response.ok && !address.includes('?')) throw new Error(`GET ${address}: ${response.status} ${await response.text()}`);
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) return places.keep(`GET ${address}`, response);
  if (!address.includes('?')) places.add(`GET ${address}`, await firstEvent(response, stir));
  socket.abort();
}

/** A stream up to its first event. */
async function firstEvent(response: Response, stir: () => Promise<Response>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body!) {
    if (text === '') await (await stir()).text();
    text += decoder.decode(bytes, { stream: true });
    if (/^data: .*\n\n/m.test(text)) break;
  }
  return text;
}

/** The path with the ids of what is there: those of the list that it is an item of. */
async function addressesOf(server: Panicly, path: string): Promise<string[]> {
  const at = path.indexOf('/{');
  if (at < 0) return [path];
  const list = path.slice(0, at);
  const key = list.startsWith(PREFIX) ? server.operatorToken : server.liveKey;
  const response = await fetch(server.url + list, { headers: { authorization: `Bearer ${key}` } });
  const { data } = (await response.json()) as { data: readonly Row[] };
  return data
    .slice(0, MAX_IDS)
    .map((row) => path.replace('{provider}', word(row['provider'])).replace('{id}', word(row['id'] ?? row['model'] ?? row['name'])));
}

function word(value: unknown): string {
  return typeof value === 'string' ? encodeURIComponent(value).replaceAll('%2F', '/') : '';
}

function queriesOf(parameters: readonly Parameter[]): string[] {
  return parameters.flatMap(({ in: where, name, schema }) =>
    where === 'query' ? valuesOf(schema).map((value) => `${name}=${value}`) : [],
  );
}

function valuesOf(schema: Described | undefined): string[] {
  if (schema === undefined) return [];
  return [...(schema.enum ?? []), ...(schema.const === undefined ? [] : [schema.const]), ...(schema.anyOf ?? []).flatMap(valuesOf)];
}
