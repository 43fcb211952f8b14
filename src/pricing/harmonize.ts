import type { CatalogueModel, Price } from './catalogue-model.ts';

/** The vendors under which OpenRouter lists models whose own price lists the catalogue has, too. */
const VENDORS: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'google',
  mistralai: 'mistral',
  deepseek: 'deepseek',
  'x-ai': 'xai',
  moonshotai: 'moonshotai',
  'z-ai': 'zai',
  qwen: 'alibaba',
};

/** The name without vendor, folded: the same model at two providers has the same. */
export function baseName(id: string): string {
  return id.slice(id.lastIndexOf('/') + 1).toLowerCase();
}

const dearer = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b));

/** Part by part the dearer of two prices; silence about a part does not outweigh a figure. */
export function dearest(a: Price, b: Price): Price {
  return {
    input: Math.max(a.input, b.input),
    output: Math.max(a.output, b.output),
    cacheRead: dearer(a.cacheRead, b.cacheRead),
    cacheWrite: dearer(a.cacheWrite, b.cacheWrite),
    reasoning: dearer(a.reasoning, b.reasoning),
    inputAudio: dearer(a.inputAudio, b.inputAudio),
    outputAudio: dearer(a.outputAudio, b.outputAudio),
  };
}

/** Where each name is sold: by base name. */
function byBaseName(models: readonly CatalogueModel[]): Map<string, CatalogueModel[]> {
  const out = new Map<string, CatalogueModel[]>();
  for (const model of models) {
    const name = baseName(model.id);
    const same = out.get(name);
    if (same) same.push(model);
    else out.set(name, [model]);
  }
  return out;
}

/** OpenRouter leaves out long-context tiers that the vendor bills: the vendor's own list has them. */
function inheritTiers(model: CatalogueModel, same: readonly CatalogueModel[]): CatalogueModel {
  if (model.provider !== 'openrouter' || model.tiers.length > 0) return model;
  const vendor = VENDORS[model.id.replace(/^~/, '').split('/')[0]!];
  const native = same.find((other) => other.provider === vendor && other.tiers.length > 0);
  if (!native) return model;
  // A tier never makes a request cheaper than the base price does.
  return { ...model, tiers: native.tiers.map((tier) => ({ ...tier, price: dearest(tier.price, model.price) })) };
}

/** A `-latest` name means another model at another place and time: the dearest of them. */
function dearestLatest(model: CatalogueModel, same: readonly CatalogueModel[]): CatalogueModel {
  if (!model.id.toLowerCase().endsWith('-latest')) return model;
  const price = same.filter((other) => !other.unpriced).reduce((sum, other) => dearest(sum, other.price), model.price);
  return { ...model, price };
}

/** An output limit above the context limit means that one of them is wrong: the largest context that is known of the model counts. */
function mendContext(model: CatalogueModel, same: readonly CatalogueModel[]): CatalogueModel {
  const { context, output } = model.limits;
  if (context === null || output === null || output <= context) return model;
  const largest = same.reduce((most, other) => Math.max(most, other.limits.context ?? 0), Math.max(context, output));
  return { ...model, limits: { ...model.limits, context: largest } };
}

/** The rules that compare a model with the same model at other providers. */
export function harmonize(models: readonly CatalogueModel[]): CatalogueModel[] {
  const names = byBaseName(models);
  return models.map((model) => {
    const same = names.get(baseName(model.id)) ?? [];
    return mendContext(dearestLatest(inheritTiers(model, same), same), same);
  });
}
