import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Browser } from 'playwright-core';
import { launchBrowser, openOffline } from '../support/browser.ts';
import { documentedApp } from './routes.ts';

const app = documentedApp().listen({ hostname: '127.0.0.1', port: 0 });
const base = `http://127.0.0.1:${app.server!.port}`;
let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser();
}, 30_000);

afterAll(async () => {
  await browser?.close();
  await app.stop(true);
});

describe('docs', () => {
  test.each([
    ['/docs', 'text/html'],
    ['/docs/ui.js', 'text/javascript'],
    ['/docs/ui.css', 'text/css'],
    ['/docs/start.js', 'text/javascript'],
    ['/openapi.json', 'application/json'],
    ['/favicon.ico', 'image/png'],
  ])('%s is %s', async (path, type) => {
    const response = await app.handle(new Request(base + path));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toStartWith(type);
    expect((await response.bytes()).length).toBeGreaterThan(50);
  });

  test('the page of the swagger plugin is not there', async () => {
    for (const path of ['/page', '/specification', '/swagger', '/swagger/json', '/_swagger/json'])
      expect((await app.handle(new Request(base + path))).status).toBe(404);
  });

  test('renders in a browser that reaches nothing but this server', async () => {
    const visit = await openOffline(browser, `${base}/docs`, '.opblock-summary-path');
    expect(visit.outside).toEqual([]);
    expect(visit.problems).toEqual([]);
    const paths = await visit.page.locator('.opblock-summary-path').allInnerTexts();
    expect(paths.map((path) => path.replaceAll('\u200b', ''))).toEqual(expect.arrayContaining(['/v1/chat/completions', '/v1/models/{id}']));
    expect(await visit.page.locator('.version-stamp').first().innerText()).toContain('3.1');
    await visit.page.close();
  }, 30_000);
});
