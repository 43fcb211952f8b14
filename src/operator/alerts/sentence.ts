import type { EventType, Fact } from './event.ts';

/** How a value that somebody else chose is put into a sentence. */
export type Quote = (value: string) => string;

/** Facts and names that a sentence is made of. */
export interface Told {
  readonly workspace: string | null;
  readonly project: string | null;
  readonly facts: Readonly<Record<string, Fact>>;
}

type Say = (told: Told, value: (name: string) => string, where: string) => string;

const SENTENCES: Readonly<Record<EventType | 'test', Say>> = {
  'budget.threshold': ({ facts }, value, where) => {
    const whose = facts['end_user'] ? ` of user ${value('end_user')}` : facts['key'] ? ` of key ${value('key')}` : '';
    const state = facts['refusing'] ? 'is used up: requests are being refused' : `has reached ${value('threshold_percent')} %`;
    return `The ${value('rule')}${whose}${where} ${state} (${value('spent_usd')} of ${value('limit_usd')} USD spent).`;
  },
  'volume.threshold': (_, value, where) =>
    `${value('used_requests')} of ${value('included_requests')} included requests of this month are used${where} (${value('threshold_percent')} %).`,
  'credits.threshold': (_, value, where) =>
    `${value('credits_left')} credits are left${where} (${value('threshold_percent')} % of the last ${value('granted')} are used).`,
  'sentry.on': (_, value, where) => `Sentry Mode was switched on${where} by ${value('author')}.`,
  'sentry.off': (_, value, where) => `Sentry Mode was switched off${where} by ${value('author')}.`,
  'request.overrun': (_, value, where) =>
    `A provider used more than was held${where}: ${value('cost_usd')} USD for a hold of ${value('hold_usd')} USD, model ${value('model')}, decision ${value('decision_id')}.`,
  'provider.failing': (_, value, where) =>
    `The provider connection ${value('connection')}${where} is failing: ${value('failures')} of ${value('requests')} requests in ${value('window_seconds')} seconds.`,
  'provider.recovered': (_, value, where) => `The provider connection ${value('connection')}${where} answers again.`,
  'ledger.unavailable': (_, value) => `The ledger cannot commit (${value('why')}). All requests are refused with 503 until it can.`,
  'ledger.available': (_, value) => `The ledger commits again, after ${value('seconds')} seconds.`,
  'ledger.row_refused': (_, value) =>
    `The database refused a row of the ledger (number ${value('seq')}). This is a defect: run panicly ledger verify.`,
  'clock.unconfirmed': () =>
    'The clock of the server jumped forward. All requests are refused with 503 until somebody runs panicly ledger confirm-clock.',
  'restore.started': () => 'A restored backup was started. Sentry Mode is on until somebody runs panicly ledger confirm-restore.',
  test: (_, value) => `This is a test of the alert ${value('name')}. Nothing happened.`,
};

/** What happened, in one sentence. Names and values that people or clients chose pass through `quote`. */
export function sentenceOf(type: EventType | 'test', told: Told, quote: Quote): string {
  const { workspace, project, facts } = told;
  const where = project !== null ? ` in project ${quote(project)}` : workspace !== null ? ` in workspace ${quote(workspace)}` : '';
  return SENTENCES[type](told, (name) => quote(String(facts[name] ?? '')), where);
}

const MAX_VALUE_CHARACTERS = 120;
/** Controls, and marks that turn the direction of text: they would let a value pose as something else. */
// oxlint-disable-next-line no-control-regex -- these are what has to go
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
/** Cuts a link or a mention in two without being seen. */
const WORD_JOINER = '\u2060';

/** For JSON: as it is, without what cannot be seen, of a bounded length. */
export function plain(value: string): string {
  const clean = value.replace(UNSEEN, '?');
  return clean.length > MAX_VALUE_CHARACTERS ? `${clean.slice(0, MAX_VALUE_CHARACTERS)}…` : clean;
}

/** For Slack's `text` with `mrkdwn` off: no entity, no mention, nothing that is made a link of. */
export function forSlack(value: string): string {
  return unlinked(plain(value)).replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]!);
}

/** For Discord's `content`: no markdown, no mention, nothing that is made a link of. */
export function forDiscord(value: string): string {
  return unlinked(plain(value)).replace(/[\\`*_~|<>[\]()#-]/g, (sign) => `\\${sign}`);
}

/** A joiner behind each `@`, after `:` before `//`, and after a dot before a letter. */
function unlinked(value: string): string {
  return value.replace(/@|:(?=\/\/)|\.(?=\p{L})/gu, (sign) => `${sign}${WORD_JOINER}`);
}
