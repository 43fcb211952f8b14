import type { Command } from 'commander';
import { LIMIT_FIELDS, PRICE_FIELDS } from '../domain/price-fields.ts';
import type { PriceInputJson, PriceJson } from '../http/schemas/operator.ts';
import type { Client } from './client.ts';
import { confirm, show, withJson, withYes, type CliContext, type CommonOptions, type DestroyingOptions } from './context.ts';
import { table } from './output.ts';
import { addPriceListCommands } from './price-lists.ts';
import { CliProblem } from './problem.ts';

/** Flags of `prices set`, and the fields that they mean. */
const AMOUNTS = { ...PRICE_FIELDS, inputUsdPerMillion: PRICE_FIELDS.input, outputUsdPerMillion: PRICE_FIELDS.output };
const TOKENS = { context: LIMIT_FIELDS.context, maxInput: LIMIT_FIELDS.input, maxOutput: LIMIT_FIELDS.output };

type SetOptions = DestroyingOptions & { readonly [flag in keyof typeof AMOUNTS | keyof typeof TOKENS]?: string };

/** `prices list`, `set`, `unset`, and those for the whole list. */
export function addPriceCommands(program: Command, context: CliContext): void {
  const { io, client } = context;
  const prices = program.command('prices').description('prices of models, USD for a million tokens');
  withJson(
    prices
      .command('list')
      .description('prices that operators set, or the whole list of a provider')
      .option('--provider <name>', 'its whole list'),
    'panicly prices list',
    'panicly prices list --provider openai',
  ).action(async (options: CommonOptions & { provider?: string }) => {
    show(io, options, await client().all<PriceJson>('/prices', { provider: options.provider }), priceTable);
  });
  addSet(prices, context);
  withJson(
    withYes(prices.command('unset').description('go back to the price of the catalogue').argument('<provider/model>')),
    'panicly prices unset openai/gpt-4.1 --yes',
  ).action(async (name: string, options: DestroyingOptions) => {
    await confirm(io, options, `take the price of ${name} away: holds may get smaller by it`);
    await client().delete(pathOf(name), { confirm: 'true' });
    show(io, options, { name, removed: true }, () => `the price of ${name} is that of the catalogue again\n`);
  });
  addPriceListCommands(prices, context);
}

function addSet(prices: Command, { io, client }: CliContext): void {
  const set = withYes(prices.command('set').description('set the price of a model; what is left out stays').argument('<provider/model>'))
    .option('--input <usd>', 'input')
    .option('--output <usd>', 'output')
    .option('--input-usd-per-million <usd>', 'the same as --input')
    .option('--output-usd-per-million <usd>', 'the same as --output')
    .option('--cache-read <usd>', 'input that the provider had cached')
    .option('--cache-write <usd>', 'input that the provider puts into its cache')
    .option('--reasoning <usd>', 'reasoning')
    .option('--input-audio <usd>', 'audio input')
    .option('--output-audio <usd>', 'audio output')
    .option('--context <tokens>', 'the context limit')
    .option('--max-input <tokens>', 'the input limit')
    .option('--max-output <tokens>', 'the output limit');
  withJson(
    set,
    'panicly prices set custom/llama-3.3-70b --input 0.20 --output 0.60 --context 131072',
    'panicly prices set openai/gpt-4.1 --input 1.50 --yes',
  ).action(async (name: string, options: SetOptions) => {
    const input = { ...(await overrideOf(client(), name)), ...inputOf(options) };
    const query = options.yes ? { confirm: 'true' } : {};
    show(io, options, await client().put<PriceJson>(pathOf(name), input, query), (price) => priceTable([price]));
  });
}

/** What an operator set before: a price is stored as a whole, and here only the parts that are named change. */
async function overrideOf(client: Client, name: string): Promise<PriceInputJson> {
  const set = await client.all<PriceJson>('/prices');
  return set.find(({ provider, model }) => `${provider}/${model}`.toLowerCase() === name.toLowerCase())?.override ?? {};
}

function inputOf(options: SetOptions): PriceInputJson {
  const amounts = Object.entries(AMOUNTS).flatMap(([flag, field]) => {
    const value = options[flag as keyof typeof AMOUNTS];
    return value === undefined ? [] : [[field, value]];
  });
  const tokens = Object.entries(TOKENS).flatMap(([flag, field]) => {
    const value = options[flag as keyof typeof TOKENS];
    return value === undefined ? [] : [[field, countOf(value)]];
  });
  if (amounts.length + tokens.length === 0) throw new CliProblem('say what to set, for instance --input 1.25 --output 10');
  return Object.fromEntries([...amounts, ...tokens]) as PriceInputJson;
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new CliProblem(`a limit is a whole number of tokens, not "${text}"`);
}

function pathOf(name: string): string {
  const slash = name.indexOf('/');
  if (slash <= 0 || slash === name.length - 1) throw new CliProblem(`a price is named PROVIDER/MODEL, like openai/gpt-4.1, not "${name}"`);
  return `/prices/${encodeURIComponent(name.slice(0, slash))}/${encodeURIComponent(name.slice(slash + 1))}`;
}

function priceTable(prices: readonly PriceJson[]): string {
  return table(
    ['PROVIDER', 'MODEL', 'INPUT', 'OUTPUT', 'CACHED', 'CACHE WRITE', 'CONTEXT', 'MAX OUTPUT', 'FROM'],
    prices.map((price) => [
      price.provider,
      price.model,
      price.priced ? price.input_usd : 'unknown',
      price.priced ? price.output_usd : 'unknown',
      price.cache_read_usd,
      price.cache_write_usd,
      price.context_tokens,
      price.max_output_tokens,
      price.source,
    ]),
    [2, 3, 4, 5, 6, 7],
  );
}
