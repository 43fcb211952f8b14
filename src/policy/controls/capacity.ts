import { shellWord } from '../../domain/shell-word.ts';
import { control } from '../control.ts';
import { counted } from '../words.ts';

/** Capacity: the plan's included requests of the month, then credits. The only control that answers 402. */
export const capacity = control(
  'capacity',
  (policy) => policy.capacity,
  (section, request) => {
    if (request.drawFrom(section) !== null) return null;
    const { workspace } = request.policy.names;
    const isFree = section.plan === 'free';
    const remedy = isFree
      ? `Choose a larger plan: panicly workspaces set ${shellWord(workspace)} --plan plus`
      : `Top up with: panicly credits grant --workspace ${shellWord(workspace)} --requests 1000`;
    const limit = counted(section.includedRequests ?? 0, 'request');
    return {
      control: 'capacity',
      reason: isFree ? 'included_volume_used' : 'credits_exhausted',
      rule: `plan ${section.plan}`,
      limit: `${limit} a month`,
      observed: isFree
        ? counted(request.volume.usedRequests, 'request')
        : `${counted(request.volume.usedRequests, 'request')}, ${counted(request.volume.creditsLeft, 'credit')} left`,
      remedy,
      message: `Workspace ${workspace} has used the ${limit} of its ${section.plan} plan this month${isFree ? '' : ' and has no credits left'}. ${remedy}`,
    };
  },
);
