import { describe, expect, test } from 'bun:test';
import type { Reason } from '../../src/domain/errors.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { CONTROLS } from '../../src/policy/controls.ts';
import { abuse } from '../../src/policy/controls/abuse.ts';
import { budgets } from '../../src/policy/controls/budgets.ts';
import { burst } from '../../src/policy/controls/burst.ts';
import { capacity } from '../../src/policy/controls/capacity.ts';
import { concurrency } from '../../src/policy/controls/concurrency.ts';
import { features } from '../../src/policy/controls/features.ts';
import { loopGuard } from '../../src/policy/controls/loop-guard.ts';
import { models } from '../../src/policy/controls/models.ts';
import { network } from '../../src/policy/controls/network.ts';
import { region } from '../../src/policy/controls/region.ts';
import { sentry } from '../../src/policy/controls/sentry.ts';
import { storedReferences } from '../../src/policy/controls/stored-references.ts';
import { tokenGuard } from '../../src/policy/controls/token-guard.ts';
import { unpricedModel } from '../../src/policy/controls/unpriced-model.ts';
import { decide, decideWith } from '../../src/policy/decide.ts';
import { NOW_MS, SCENES, stateOf } from './scenes.ts';

function reasonOf(verdict: Verdict): Reason | null {
  return verdict.allow ? null : verdict.finding.reason;
}

describe.each(SCENES.map((scene) => [scene.name, scene] as const))('%s', (_name, scene) => {
  test('is refused, with words that help', () => {
    const verdict = decide(scene.policy, stateOf(scene), scene.refused, NOW_MS);
    expect(reasonOf(verdict)).toBe(scene.reason);
    if (verdict.allow) throw new Error('not refused');
    const { finding } = verdict;
    expect(finding.control).toBe(scene.by.name);
    for (const words of scene.says) expect(`${finding.rule} ${finding.message}`).toContain(words);
    expect(finding.message).toContain(finding.remedy);
    for (const part of [finding.rule, finding.limit, finding.observed, finding.remedy]) expect(part).not.toBe('');
  });

  test('passes on the other side of the edge', () => {
    expect(reasonOf(decide(scene.policy, stateOf(scene), scene.passes, scene.passesAtMs ?? NOW_MS))).toBeNull();
  });

  test('passes when the control is taken out of the list, and only then', () => {
    const needed = CONTROLS.filter((control) => {
      const others = CONTROLS.filter((other) => other !== control);
      return decideWith(others, scene.policy, stateOf(scene), scene.refused, NOW_MS).allow;
    });
    expect(needed).toEqual([scene.by]);
  });
});

test('every control of the list has a scene, and the order is the one that is promised', () => {
  expect([...CONTROLS]).toEqual([
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
  ]);
  for (const control of CONTROLS) expect(SCENES.some(({ by }) => by === control)).toBe(true);
});
