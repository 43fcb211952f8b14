import type { Route } from '../domain/candidate.ts';
import type { CatalogueModel } from '../pricing/catalogue.ts';
import { profileOf, type Profile } from '../pricing/profiles.ts';
import { simulatorRates } from '../upstream/simulator/rates.ts';

/** The simulator reads bytes as tokens the way OpenAI's profile bounds them, and stops the moment its client goes. */
export const SIMULATOR_PROFILE: Profile = { ...profileOf('openai'), cancelStopsBilling: true };

/** The simulator's model of any name: test money has prices of its own, so that no catalogue has to know the name. */
export function simulatorModel(name: string, route: Route): CatalogueModel {
  return {
    provider: 'simulator',
    id: name,
    price: {
      input: simulatorRates.input,
      output: simulatorRates.output,
      cacheRead: simulatorRates.cacheRead,
      cacheWrite: null,
      reasoning: null,
      inputAudio: null,
      outputAudio: null,
    },
    tiers: [],
    serviceTiers: {},
    limits: { context: simulatorRates.contextLimit, input: null, output: simulatorRates.outputLimit },
    isEmbedding: route === 'embeddings',
    unpriced: false,
    modalities: { input: ['text', 'image', 'audio'], output: ['text'] },
  };
}
