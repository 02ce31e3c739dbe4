// The built site, as a reader has it: links, errors, small screens, accessibility, and the search.
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileOf, launch, readPages, violations, visit } from './built-site.js';

let browser: Browser;
let pages: Map<string, string>;

beforeAll(async () => {
  pages = await readPages();
  browser = await launch();
});
afterAll(() => browser?.close());

/** One page of each kind. */
const SAMPLES = [
  '/',
  '/docs/sockets',
  '/docs/errors',
  '/packages/core/',
  '/examples/',
  '/source/examples/echo-server.ts',
  '/api/',
  '/api/@rxsock/core/',
  '/api/@rxsock/core/functions/lines',
  '/api/@rxsock/core/classes/Socket',
];

test('every export of every entry point has a page', async () => {
  const list = await readFile(new URL('../../tests/exports/exports.md', import.meta.url), 'utf8');
  const entries = list
    .split(/^## (?=@)/m)
    .slice(1)
    .filter((entry) => !entry.startsWith('@rxsock/core/internal'));
  const expected = entries.flatMap((entry) => {
    const [name] = entry.split('\n', 1);
    const exports = [...entry.matchAll(/^(?:class|function|interface|type|const|variable) (\w+)/gm)];
    return exports.map(([, symbol]) => `/api/${name}/${symbol}.html`);
  });
  expect(expected.length).toBeGreaterThan(300);
  const present = new Set([...pages.keys()].map((path) => path.replace(/\/[a-z-]+\/(\w+\.html)$/, '/$1')));
  expect(expected.filter((path) => !present.has(path))).toEqual([]);
});

test('every internal link leads to a page, and every anchor to a place on it', () => {
  const broken = [...pages].flatMap(([from, html]) => {
    const links = [...html.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, href]) => href!.replaceAll('&amp;', '&'));
    return links
      .filter((href) => !/^[a-z]+:/.test(href) && !leadsSomewhere(href, from))
      .map((href) => `${from}: ${href}`);
  });
  expect(broken).toEqual([]);
});

function leadsSomewhere(href: string, from: string): boolean {
  const { pathname, hash } = new URL(href, `http://site${from}`);
  if (fileOf(pathname) === undefined) return false;
  const path = pathname.replace(/\/$/, '/index.html');
  const html = pages.get(decodeURIComponent(path)) ?? pages.get(`${decodeURIComponent(path)}.html`);
  return hash === '' || html === undefined || html.includes(`id="${decodeURIComponent(hash.slice(1))}"`);
}

test.each(SAMPLES)('%s has no error, asks nobody else, fits a narrow screen and is accessible', async (path) => {
  for (const dark of [false, true]) {
    const { page, problems } = await visit(browser, path, { width: 380, dark });
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(380);
    expect(problems).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await page.close();
  }
});

/** What people look for, and the page that they should find among the first five. */
const SEARCHES: Readonly<Record<string, string>> = {
  split: 'functions/lines',
  delimiter: 'functions/delimited',
  retry: 'functions/reconnect',
  throttle: 'functions/limitRate',
  keepalive: 'interfaces/KeepAliveOptions',
  broadcast: 'classes/SocketGroup',
  concatMap: 'functions/mapWithBackpressure',
  STARTTLS: 'functions/upgrade',
  'graceful shutdown': 'docs/deployment',
  toxiproxy: 'functions/faultyProxy',
  ECONNRESET: 'docs/errors',
  'request response': 'functions/exchange',
  stalled: 'docs/questions.html#how-do-i-see-why-it-stalls',
  hangs: 'docs/questions.html#how-do-i-see-why-it-stalls',
  remoteAddress: 'docs/questions.html#who-is-the-client',
  'rate limit': 'docs/questions.html#how-do-i-limit-a-client',
  framing: 'docs/questions.html#how-do-i-frame-my-protocol',
  proxy: 'docs/questions.html#how-do-i-get-through-a-proxy',
  ECONNREFUSED: 'docs/questions.html#which-errors-can-connect-give',
  'socket options': 'docs/questions.html#how-do-i-set-keepalive',
};

test('the search finds an operator by what one would call it', async () => {
  const { page, problems } = await visit(browser, '/');
  await page.keyboard.press('/');
  const input = page.locator('#localsearch-input');
  for (const [words, target] of Object.entries(SEARCHES)) {
    await input.fill('');
    await expect.poll(() => page.locator('.results .result').count()).toBe(0);
    await input.fill(words);
    await page.locator('.results .result').first().waitFor();
    const hrefs = async () =>
      (
        await page.locator('.results .result').evaluateAll((links) => links.map((link) => link.getAttribute('href')))
      ).slice(0, 5);
    await expect.poll(hrefs, { message: words }).toContainEqual(expect.stringContaining(target));
  }
  expect(problems).toEqual([]);
});
