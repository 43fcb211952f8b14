import { Refusal } from '../domain/errors.ts';
import type { RequestFacts } from '../domain/facts.ts';
import { shellWord } from '../domain/shell-word.ts';
import type { Catalogue, CatalogueModel } from '../pricing/catalogue.ts';
import { profileOf, type Profile } from '../pricing/profiles.ts';
import { chooseConnection } from '../upstream/routing.ts';
import type { Caller } from './authenticate.ts';
import type { ConnectionEntry, ProjectEntry } from './directory.ts';
import { SIMULATOR_PROFILE, simulatorModel } from './simulated.ts';

/** Who serves a request, and what is known of the models that it could reach. */
export interface Target {
  /** Null is the simulator. */
  readonly connection: ConnectionEntry | null;
  /** The name that goes into the forwarded body. */
  readonly model: string;
  /** The asked model first, then its fallbacks; null for names that the catalogue does not know. */
  readonly reach: readonly (CatalogueModel | null)[];
  readonly profile: Profile;
  /** The catalogue's names of what the request could reach, or the client's where it has none. */
  readonly models: readonly string[];
  /** Whether the catalogue knows all of them. */
  readonly modelKnown: boolean;
}

/** Model names that are remembered for each project: clients repeat themselves, and names can be invented. */
const REMEMBERED = 1_000;

interface Memory {
  readonly catalogue: Catalogue;
  readonly targets: Map<string, Target>;
}

/** Forgotten with its project entry, which is replaced when anything of the project changes. */
const memories = new WeakMap<ProjectEntry, Memory>();

/** Finds who serves the request. */
export function targetOf(facts: RequestFacts, caller: Caller, catalogue: Catalogue): Target | Refusal {
  if (caller.environment === 'test') return simulated(facts);
  if (facts.fallbackModels.length > 0) return provided(facts, caller, catalogue);
  const { targets } = memoryOf(caller.entry, catalogue);
  const known = targets.get(facts.model);
  if (known) return known;
  const found = provided(facts, caller, catalogue);
  if (!(found instanceof Refusal) && targets.size < REMEMBERED) targets.set(facts.model, found);
  return found;
}

function memoryOf(entry: ProjectEntry, catalogue: Catalogue): Memory {
  const known = memories.get(entry);
  if (known?.catalogue === catalogue) return known;
  const fresh: Memory = { catalogue, targets: new Map() };
  memories.set(entry, fresh);
  return fresh;
}

function simulated(facts: RequestFacts): Target {
  const reach = [facts.model, ...facts.fallbackModels].map((name) => simulatorModel(name, facts.route));
  return { connection: null, model: facts.model, reach, profile: SIMULATOR_PROFILE, ...namesOf(facts.model, facts, reach) };
}

function provided(facts: RequestFacts, caller: Caller, catalogue: Catalogue): Target | Refusal {
  const chosen = chooseConnection(caller.entry.connections, facts.model);
  if (!chosen) return noProvider(facts, caller.entry);
  const { connection } = chosen;
  const resolve = (name: string) => catalogue.resolve(connection.kind, connection.baseUrl, name);
  const asked = resolve(chosen.model);
  const reach = [asked, ...facts.fallbackModels.map(resolve)];
  // The catalogue's spelling goes out: a name that differs only in case is the same model.
  const model = asked !== null && asked.id.toLowerCase() === chosen.model.toLowerCase() ? asked.id : chosen.model;
  return {
    connection,
    model,
    reach,
    ...namesOf(model, facts, reach),
    profile: profileOf(connection.kind, connection.baseUrl),
  };
}

function namesOf(model: string, facts: RequestFacts, reach: Target['reach']): Pick<Target, 'models' | 'modelKnown'> {
  const models = [model, ...facts.fallbackModels].map((name, index) => reach[index]?.id ?? name);
  return { models, modelKnown: reach.every((known) => known !== null) };
}

function noProvider(facts: RequestFacts, { project, connections }: ProjectEntry): Refusal {
  if (connections.length === 0)
    return new Refusal(
      'no_provider',
      `Project ${project.name} has no provider yet. Add one with: panicly providers add --project ${shellWord(project.name)} --kind openai --api-key-env OPENAI_API_KEY`,
    );
  const name = JSON.stringify(facts.model.slice(0, 100));
  const message = `No provider of project ${project.name} serves the model ${name}. See its models with: GET /v1/models`;
  return new Refusal('unknown_model', message, { param: 'model' });
}
