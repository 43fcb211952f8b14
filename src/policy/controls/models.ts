import type { Candidate } from '../../domain/candidate.ts';
import type { Finding } from '../../domain/verdict.ts';
import type { Case } from '../case.ts';
import type { ModelsSection } from '../compiled.ts';
import { control } from '../control.ts';
import { foldModelName, isPlainModelName } from '../model-names.ts';
import { policyCommand, priceCommand, quoted } from '../words.ts';

/** Model Controls: every model that a request could reach must be allowed, and none may be blocked, however it is spelt. */
export const models = control(
  'models',
  (policy) => policy.models,
  (section, request) => {
    if (section.block.size === 0 && section.allow.size === 0) return null;
    const { candidate } = request;
    return blockedModel(section, request) ?? (section.allow.size > 0 ? modelNotAllowed(section, request, candidate) : null);
  },
);

function blockedModel(section: ModelsSection, request: Case): Finding | null {
  const { candidate } = request;
  for (let index = -1; index < candidate.models.length; index++) {
    const name = index === -1 ? candidate.requestedModel : candidate.models[index]!;
    if (!candidate.modelKnown && !isPlainModelName(foldModelName(name)))
      return finding(request, 'plain model names', name, `${quoted(name)} is not written as any model is.`, change(request, 'block'));
    const pattern = section.block.size === 0 ? null : candidate.modelKnown ? section.block.match(name) : section.block.matchLoosely(name);
    if (pattern !== null)
      return finding(request, `block ${pattern}`, name, `Model ${quoted(name)} is blocked by ${pattern}.`, change(request, 'block'));
  }
  return null;
}

function modelNotAllowed(section: ModelsSection, request: Case, candidate: Candidate): Finding | null {
  if (!candidate.modelKnown) {
    const name = candidate.requestedModel;
    const why = `Model ${quoted(name)} is not in the price list, and a policy with an allow list takes only models that are.`;
    return finding(request, 'the allow list', name, why, `set its price with: ${priceCommand(quoted(name))}`);
  }
  for (const [index, name] of candidate.models.entries()) {
    const isAllowed = section.allow.match(name) !== null || (index === 0 && section.allow.match(candidate.requestedModel) !== null);
    if (!isAllowed)
      return finding(request, 'the allow list', name, `Model ${quoted(name)} is not in the allow list.`, change(request, 'allow'));
  }
  return null;
}

function change({ policy }: Case, field: 'allow' | 'block'): string {
  return `change models.${field} with: ${policyCommand(policy)}`;
}

function finding(request: Case, rule: string, observed: string, why: string, otherwise: string): Finding {
  const remedy = `Use another model, or ${otherwise}`;
  return {
    control: 'models',
    reason: 'model_blocked',
    rule,
    limit: rule,
    observed: quoted(observed),
    remedy,
    message: `${why} ${remedy}`,
  };
}
