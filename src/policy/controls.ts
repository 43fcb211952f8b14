import type { Control } from './control.ts';
import { abuse } from './controls/abuse.ts';
import { budgets } from './controls/budgets.ts';
import { burst } from './controls/burst.ts';
import { capacity } from './controls/capacity.ts';
import { concurrency } from './controls/concurrency.ts';
import { features } from './controls/features.ts';
import { loopGuard } from './controls/loop-guard.ts';
import { models } from './controls/models.ts';
import { network } from './controls/network.ts';
import { region } from './controls/region.ts';
import { sentry } from './controls/sentry.ts';
import { storedReferences } from './controls/stored-references.ts';
import { tokenGuard } from './controls/token-guard.ts';
import { unpricedModel } from './controls/unpriced-model.ts';

/** Every control, in the order in which they speak. The first enforced one that finds something names the reason. */
export const CONTROLS = [
  capacity,
  network,
  region,
  models,
  unpricedModel,
  sentry,
  burst,
  abuse,
  tokenGuard,
  loopGuard,
  concurrency,
  features,
  storedReferences,
  budgets,
] as const satisfies readonly Control[];
