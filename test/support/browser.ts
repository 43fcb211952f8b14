import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a Chromium is on this machine, or null. */
export const CHROMIUM = PLACES.find((path) => existsSync(path)) ?? null;

/** A headless Chromium. Throws with the place to get one when there is none. */
export async function launchBrowser(): Promise<Browser> {
  if (CHROMIUM === null) throw new Error('no Chromium on this machine: install the package chromium');
  return await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking'],
  });
}

/** What a visit to a page showed. */
export interface Visit {
  readonly page: Page;
  /** Addresses outside this machine that the page asked for; none of them was reached. */
  readonly outside: string[];
  /** Errors in the console, failed requests and exceptions. */
  readonly problems: string[];
}

/** Opens `url` with every address but the loopback closed, and waits until `selector` is there. */
export async function openOffline(browser: Browser, url: string, selector: string): Promise<Visit> {
  const page = await browser.newPage();
  const outside: string[] = [];
  const problems: string[] = [];
  await page.route('**/*', async (route) => {
    const address = route.request().url();
    if (/^(?:https?:\/\/127\.0\.0\.1[:/]|data:|blob:)/.test(address)) return await route.continue();
    outside.push(address);
    return await route.abort();
  });
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  await page.goto(url);
  await page.locator(selector).first().waitFor({ timeout: 20_000 });
  return { page, outside, problems };
}
