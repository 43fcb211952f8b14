import { Refusal, REASONS, type Reason } from '../domain/errors.ts';
import { parseDecisionId } from '../domain/ids.ts';
import type { DecisionFilter, Page, RecordedDecision } from '../ledger/store.ts';
import { keyOf, lineOf, missing, projectOf } from './find.ts';
import { cursorOf, moment } from './moment.ts';
import type { Office } from './office.ts';
import { scopeFilter, type Scope } from './scope.ts';

/** What a person filters by, as text; see `DecisionFilter` for the meanings. */
export interface DecisionQuestion {
  readonly project?: string | undefined;
  readonly key?: string | undefined;
  readonly decision?: 'allow' | 'deny' | undefined;
  readonly reason?: string | undefined;
  readonly model?: string | undefined;
  readonly environment?: 'live' | 'test' | undefined;
  readonly observed?: 'true' | 'false' | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Decisions, newest first. The cursor is what the page before ended with. */
export async function listDecisions(
  office: Office,
  scope: Scope,
  question: DecisionQuestion,
  cursor: string | undefined,
  limit: number,
): Promise<Page<RecordedDecision>> {
  return await office.store.listDecisions(filterOf(office, scope, question), cursorOf(cursor), limit);
}

/** One decision by its public id. Throws a Refusal when there is none. */
export async function oneDecision(office: Office, scope: Scope, id: string): Promise<RecordedDecision> {
  const parsed = parseDecisionId(id);
  const found = parsed && (await office.store.getDecision(parsed.seq, scope.workspaceId ?? undefined));
  return found && found.decision.atMs === parsed.atMs ? found : missing('decision', id);
}

/** The question with every name looked up. Throws a Refusal for what does not exist. */
export function filterOf({ registry }: Office, scope: Scope, question: DecisionQuestion): DecisionFilter {
  return {
    ...scopeFilter(scope),
    ...(question.project === undefined ? {} : { projectId: projectOf(registry, scope, question.project).id }),
    ...(question.key === undefined ? {} : { keyId: lineOf(keyOf(registry, scope, question.key)) }),
    ...(question.decision === undefined ? {} : { allowed: question.decision === 'allow' }),
    ...(question.reason === undefined ? {} : { reason: knownReason(question.reason) }),
    ...(question.model === undefined ? {} : { model: question.model }),
    ...(question.environment === undefined ? {} : { environment: question.environment }),
    ...(question.observed === undefined ? {} : { observed: question.observed === 'true' }),
    ...(question.from === undefined ? {} : { fromMs: moment(question.from, 'from') }),
    ...(question.to === undefined ? {} : { toMs: moment(question.to, 'to') }),
  };
}

function knownReason(text: string): Reason {
  if (Object.hasOwn(REASONS, text)) return text as Reason;
  throw new Refusal('invalid_value', `There is no reason ${JSON.stringify(text.slice(0, 60))}.`, { param: 'reason' });
}
