import { describe, expect, test } from 'bun:test';
import models from '../../db/models.json';
import { CatalogueProblem, checkDocument, dayOf } from '../../src/pricing/check-document.ts';

const MODEL = { price: { input: 1, output: 2 }, limit: { context: 10, output: 5 }, modalities: { input: ['text'], output: ['text'] } };
const json = (value: unknown) => JSON.stringify(value);
/** A list with one model, whose text is given. */
const withModel = (text: string, name = '"m"') => `{"providers":{"openai":{"models":{${name}:${text}}}}}`;
const withPrice = (text: string) => withModel(json(MODEL).replace('{"input":1,"output":2}', text));

function problemOf(text: string): string {
  try {
    checkDocument(JSON.parse(text));
  } catch (error) {
    if (error instanceof CatalogueProblem) return `${error.path}: ${error.message.slice(error.path.length + 2)}`;
    throw error;
  }
  return 'no problem';
}

test('the list that we carry passes, and names its day', () => {
  expect(checkDocument(models) === models).toBe(true);
  expect(dayOf(models)).toBe('2026-07-02');
});

test.each([
  [{ as_of: '2026-08-01', source: 'x (2026-07-02)' }, '2026-08-01'],
  [{ source: 'x (2026-07-02)' }, '2026-07-02'],
  [{ source: 'x (2026-07-02) and more' }, null],
  [{}, null],
])('the day of %j is %j', (parts, day) => {
  expect(dayOf({ providers: {}, ...parts })).toBe(day);
});

const at = 'providers.openai.models.m';

describe('refused with the field', () => {
  test.each([
    ['no object', '[]', 'document'],
    ['no providers', '{}', 'providers'],
    ['an empty list', '{"providers":{}}', 'providers'],
    ['no models', '{"providers":{"openai":{}}}', 'providers.openai.models'],
    ['a provider named as every object has one', '{"providers":{"__proto__":{"models":{}}}}', 'providers.__proto__'],
    ['a provider with a strange name', '{"providers":{"a/b":{"models":{}}}}', 'providers["a/b"]'],
    ['what operators set', '{"providers":{"custom":{"models":{}}}}', 'providers.custom'],
    ['a name of the routes', '{"providers":{"catalogue":{"models":{}}}}', 'providers.catalogue'],
    ['a model named __proto__', withModel(json(MODEL), '"__proto__"'), 'providers.openai.models.__proto__'],
    ['a model named constructor', withModel(json(MODEL), '"constructor"'), 'providers.openai.models.constructor'],
    ['a model with a space', withModel(json(MODEL), '"a b"'), 'providers.openai.models["a b"]'],
    ['a model without a name', withModel(json(MODEL), '""'), 'providers.openai.models[""]'],
    ['a model twice', `{"providers":{"openai":{"models":{"M":${json(MODEL)},"m":${json(MODEL)}}}}}`, at],
    ['no price', withModel('{}'), `${at}.price`],
    ['a price that is no number', withPrice('{"input":"1","output":2}'), `${at}.price.input`],
    ['a negative price', withPrice('{"input":-1,"output":2}'), `${at}.price.input`],
    ['a fraction', withPrice('{"input":0.5,"output":2}'), `${at}.price.input`],
    ['a number beyond all numbers', withPrice('{"input":1e400,"output":2}'), `${at}.price.input`],
    ['a price that no sum could hold', withPrice('{"input":1,"output":9007199254740991}'), `${at}.price.output`],
    ['a price part that we do not know', withPrice('{"input":1,"output":2,"output_image":3}'), `${at}.price.output_image`],
    ['a price part named __proto__', withPrice('{"input":1,"output":2,"__proto__":{"input":0}}'), `${at}.price.__proto__`],
    ['a negative limit', withModel(json({ ...MODEL, limit: { context: -1, output: 1 } })), `${at}.limit.context`],
    ['a limit that we do not know', withModel(json({ ...MODEL, limit: { context: 1, output: 1, images: 2 } })), `${at}.limit.images`],
    ['a tier without its threshold', withModel(json({ ...MODEL, tiers: [{ input: 1 }] })), `${at}.tiers.0.above_input_tokens`],
    [
      'a service tier that every object has',
      withModel('{"modes":{"__proto__":{"when":{},"price":{}}},' + json(MODEL).slice(1)),
      `${at}.modes.__proto__`,
    ],
    [
      'a service tier with capitals',
      withModel(json({ ...MODEL, modes: { fast: { when: { service_tier: 'Fast' }, price: {} } } })),
      `${at}.modes.fast.when.service_tier`,
    ],
    ['media that are no list', withModel(json({ ...MODEL, modalities: { input: 'text', output: [] } })), `${at}.modalities.input`],
    ['a day that is none', `{"as_of":"2026-13-01","providers":{"openai":{"models":{}}}}`, 'as_of'],
  ])('%s', (_, text, path) => {
    expect(problemOf(text).split(': ')[0]).toBe(path);
  });
});

test('members for people pass', () => {
  expect(problemOf(withModel(json({ ...MODEL, name: 'M', status: 'beta', released: '2026' })))).toBe('no problem');
});
