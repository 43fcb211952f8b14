import { describe, expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { nextAttemptMs } from '../../../src/operator/alerts/backoff.ts';
import { EVENT_TYPES, type EventType } from '../../../src/operator/alerts/event.ts';
import { messageOf } from '../../../src/operator/alerts/message.ts';
import { forDiscord, forSlack, plain, sentenceOf } from '../../../src/operator/alerts/sentence.ts';

/** What a client may call its model or its user. */
const HOSTILE: readonly string[] = [
  '@everyone',
  '@here and <@123456>',
  '<!channel>',
  '<!here|hi>',
  '<https://evil.example/x|your bank>',
  '[your bank](https://evil.example/x)',
  'https://evil.example/x',
  'www.evil.example',
  'evil.example',
  '**bold** _it_ ~gone~ `code` ||hidden|| > quote',
  '# heading\n- list',
  '&lt;!channel&gt;',
  'gpt\u202eelyts\u0000\u0007',
  '\\*x\\*',
];

const payload = (facts: object) =>
  JSON.stringify({
    id: 'evt_1',
    type: 'request.overrun',
    at: '',
    alert: {},
    workspace: null,
    project: { id: 'prj_1', name: 'web' },
    message: '',
    ...facts,
  });
const parts = { url: 'https://alerts.example.com/x', secret: null, nowSeconds: 1_763_800_000 };

describe('what others chose is only text', () => {
  test.each(HOSTILE)('%j in Slack', (value) => {
    const { body } = messageOf(payload({ model: value }), { ...parts, format: 'slack' });
    const sent = JSON.parse(body) as { text: string; mrkdwn: boolean };
    expect(sent.mrkdwn).toBe(false);
    expect(sent.text).not.toMatch(/<|>|:\/\/|@(?!\u2060)|evil\.example|www\.evil|[\n\u202e]|&(?!amp;|lt;|gt;)/);
    expect(sent.text).not.toContain('\0');
    expect(sent.text).toStartWith('Panicly: A provider used more than was held in project web');
  });

  test.each(HOSTILE)('%j in Discord', (value) => {
    const { body } = messageOf(payload({ model: value }), { ...parts, format: 'discord' });
    const sent = JSON.parse(body) as { content: string; allowed_mentions: unknown; flags: number };
    expect(sent.allowed_mentions).toEqual({ parse: [] });
    expect(sent.flags).toBe(4);
    expect(sent.content).not.toContain('\0');
    const bare = sent.content.replaceAll(/\\[\\`*_~|<>[\]()#-]/g, '');
    expect(bare).not.toMatch(/[`*~|<>[\]#\\]|:\/\/|@(?!\u2060)|evil\.example|www\.evil|[\n\u202e]/);
  });

  test.each([
    ['a model', 'gpt-4.1-mini', 'gpt-4.1-mini', 'gpt\\-4.1\\-mini'],
    ['a project in another script', 'Büro & Söhne', 'Büro &amp; Söhne', 'Büro & Söhne'],
  ])('%s reads as it is', (_, value, slack, discord) => {
    expect([plain(value), forSlack(value), forDiscord(value)]).toEqual([value, slack, discord]);
  });

  test('long values are cut', () => {
    expect(plain('x'.repeat(10_000))).toHaveLength(121);
  });
});

describe('messages', () => {
  test.each([...Object.keys(EVENT_TYPES), 'test'] as (EventType | 'test')[])('%s is a sentence, with and without its names', (type) => {
    for (const project of [null, 'web']) {
      const sentence = sentenceOf(type, { workspace: 'acme', project, facts: {} }, plain);
      expect(sentence).toMatch(/^[A-Z ].*\.$/);
      expect(sentence).not.toMatch(/undefined|null|\[object/);
    }
  });

  test('the generic format is the stored JSON, signed', () => {
    const stored = payload({ model: 'ü@everyone' });
    const { body, headers } = messageOf(stored, { ...parts, format: 'generic', secret: 'whsec_1' });
    expect(body).toBe(stored);
    expect(headers['panicly-event-id']).toBe('evt_1');
    expect(headers['panicly-signature']).toBe(
      `t=1763800000,v1=${createHmac('sha256', 'whsec_1').update(`1763800000.${stored}`).digest('hex')}`,
    );
  });
});

describe('when to try again', () => {
  test.each([
    [1, 0, 2_500],
    [1, 1, 5_000],
    [2, 1, 10_000],
    [5, 0.5, 60_000],
    [10, 1, 2_560_000],
    [11, 1, 3_600_000],
    [40, 0, 1_800_000],
  ])('after %d failures, dice at %d: %d ms', (attempts, dice, waitMs) => {
    expect(nextAttemptMs(attempts, 1_000, 5_000, dice, null)).toBe(5_000 + waitMs);
  });

  test('not before the receiver wants it, and not after a day', () => {
    expect(nextAttemptMs(1, 0, 0, 0, 60)).toBe(60_000);
    expect(nextAttemptMs(20, 0, 86_400_000 - 1_800_000, 0, null)).toBe(86_400_000);
    expect(nextAttemptMs(20, 0, 86_400_000 - 1_799_999, 0, null)).toBeNull();
  });
});
