import { describe, expect, test } from 'bun:test';
import { Elysia } from 'elysia';
import { errorHook } from '../../src/http/errors.ts';

/** What Elysia read out of the text of our hooks: what it believes every handler of the app to need. */
function inferenceOf(app: unknown): Readonly<Record<string, boolean>> {
  return (app as { readonly inference: Readonly<Record<string, boolean>> }).inference;
}

const COSTLY = { body: false, cookie: false, headers: false, query: false, set: false };

describe('the error hook', () => {
  test('makes Elysia parse nothing and rebuild no Response, for no route', () => {
    expect(inferenceOf(new Elysia().use(errorHook(() => undefined)))).toMatchObject(COSTLY);
  });

  test('a hook that takes the context as a whole would', () => {
    const whole = new Elysia().onError({ as: 'global' }, (context) => Response.json(Object.keys(context)));
    expect(inferenceOf(new Elysia().use(whole))).not.toMatchObject(COSTLY);
  });
});
