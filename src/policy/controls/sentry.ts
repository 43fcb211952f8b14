import { shellWord } from '../../domain/shell-word.ts';
import { control } from '../control.ts';

/** Sentry Mode: the emergency stop. It is a switch of the state, not of the policy document, so no policy can turn it off. */
export const sentry = control(
  'sentry',
  (policy) => policy.always,
  (_section, request) => {
    const scope = request.state.sentry(request.who);
    if (scope === null) return null;
    const name = request.policy.names[scope];
    const remedy = `Turn it off with: panicly sentry off --${scope} ${shellWord(name)}`;
    return {
      control: 'sentry',
      reason: 'sentry_mode',
      rule: `Sentry Mode of ${scope} ${name}`,
      limit: 'off',
      observed: 'on',
      remedy,
      message: `Sentry Mode is on for ${scope} ${name}. ${remedy}`,
    };
  },
);
