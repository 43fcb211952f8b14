import type { ControlName, Finding } from '../domain/verdict.ts';
import type { Case } from './case.ts';
import type { CompiledPolicy, Section } from './compiled.ts';

/** What a control says against a request under one of its sections: null lets it pass. It does not look at the mode. */
export type Judge<S extends Section> = (section: S, request: Case) => Finding | null;

/** A control in the ordered list. */
export interface Control {
  readonly name: ControlName;
  /** The first finding of an enforced section; findings of observed sections are added to `observed`. */
  readonly speak: (request: Case, observed: Finding[]) => Finding | null;
}

/** Makes a control of its judge and of the sections that it reads. The three modes are handled here and nowhere else. */
export function control<S extends Section>(
  name: ControlName,
  sectionsOf: (policy: CompiledPolicy) => readonly S[],
  judge: Judge<S>,
): Control {
  return {
    name,
    speak(request, observed) {
      const sections = sectionsOf(request.policy);
      for (let index = 0; index < sections.length; index++) {
        const section = sections[index]!;
        if (section.mode === 'off') continue;
        const finding = judge(section, request);
        if (finding === null) continue;
        if (section.mode === 'enforce') return finding;
        observed.push(finding);
      }
      return null;
    },
  };
}
