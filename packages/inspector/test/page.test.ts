// The page in a browser: a server with 200 sockets, of which one is held.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect, connectionPool, data, listen, reconnect, type Socket, serve } from '@rxsock/core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { filter, firstValueFrom, interval, map, Subscription } from 'rxjs';
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { beforeAllWithPrograms, needProgram } from '../../../tests/support/need-program.js';
import { type Inspector, inspect } from '../src/index.js';

const CHROMIUM = '/usr/bin/chromium';
const SOCKETS = 200;
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let inspector: Inspector;
let held: Socket;
const sockets: Socket[] = [];
const subscriptions: Subscription[] = [];

beforeAllWithPrograms(async () => {
  needProgram('chromium');
  inspector = await inspect();
  const server = listen({ port: 0 });
  server.name = 'echo';
  subscriptions.push(server.pipe(serve((socket) => socket.pipe(data()))).subscribe());
  const listening = server.pipe(filter((event) => event.type === 'listening'));
  const { port } = await firstValueFrom(listening.pipe(map((event) => event.address)));
  for (let index = 0; index < SOCKETS; index++) {
    const socket = Object.assign(connect({ port }), { name: `client ${index}` });
    socket.pipe(data()).subscribe({ error: () => {} });
    sockets.push(socket);
  }
  held = Object.assign(connect({ port }), { name: 'printer' });
  held.pipe(data()).subscribe({ error: () => {} });
  await Promise.all([...sockets, held].map((socket) => socket.write('hello')));
  held.hold('waits for paper');
  const feed = Object.assign(
    reconnect(() => connect({ host: '127.0.0.1', port: 1 })),
    { name: 'feed' },
  );
  subscriptions.push(feed.subscribe({ error: () => {} }));
  const pool = Object.assign(
    connectionPool(() => connect({ port }), { max: 1, acquireTimeout: 0 }),
    { name: 'redis' },
  );
  subscriptions.push(new Subscription(() => void pool.close({ drain: 0 })));
  for (let index = 0; index < 3; index++) subscriptions.push(pool.acquire().subscribe({ error: () => {} }));
  // So that there is something to plot.
  subscriptions.push(
    interval(20).subscribe((index) => sockets[index % SOCKETS]!.next(Buffer.alloc(1000 * (index % 9)))),
  );
  subscriptions.push(interval(20).subscribe(() => held.next(Buffer.alloc(100))));
  browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}, 30_000);

afterAll(async () => {
  await browser?.close();
  for (const subscription of subscriptions) subscription.unsubscribe();
  await Promise.all(sockets.map((socket) => socket.close({ timeout: 0 })));
  await inspector?.close();
});

/** What went wrong in the browser, and which addresses the page has asked. */
let problems: string[];
let requests: URL[];
beforeEach(() => {
  problems = [];
  requests = [];
});

async function open(width: number, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
  onTestFinished(() => page.close());
  page.on('console', (message) => problems.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => requests.push(new URL(request.url())));
  await page.goto(inspector.url);
  return page;
}

/** Checks that the browser had nothing to complain about, and that the page has asked nobody else. */
function checkRequests(): void {
  expect(problems).toEqual([]);
  expect(requests.length).toBeGreaterThan(5);
  const { origin } = new URL(inspector.url);
  expect(requests.filter((url) => url.origin !== origin && url.protocol !== 'data:')).toEqual([]);
}

/** What axe finds. */
async function violations(page: Page, options: object = {}): Promise<unknown> {
  // Not by a tag in the page, whose policy would refuse it.
  await page.evaluate(axe);
  const run = `axe.run(${JSON.stringify(options)}).then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ')))`;
  return await page.evaluate(run);
}

test('a held socket is found by name in two clicks: its holder, its plots, and the report of its end', async () => {
  const page = await open(1280);
  await page.getByRole('button', { name: /^Held 1/ }).click();
  await page.getByRole('link', { name: /^printer/ }).click();

  await page.getByRole('heading', { name: /^Socket #\d+ printer/ }).waitFor();
  await page.getByText(/^waits for paper, for \d/).waitFor();

  const plot = page.locator('#plot-rates canvas');
  const picture = () => plot.evaluate((canvas: unknown) => (canvas as { toDataURL(): string }).toDataURL());
  const before = await picture();
  await expect.poll(picture).not.toBe(before);
  // The picture of docs/observing.md: RXSOCK_PICTURE=docs/inspector.png npx vitest run --project inspector page
  if (process.env.RXSOCK_PICTURE) await page.screenshot({ path: process.env.RXSOCK_PICTURE });

  held.error(new Error('out of paper'));
  const report = page.locator('#end');
  await report.getByText('ERR_SOCKET_ABORTED').waitFor();
  expect(await report.textContent()).toMatch(/HowabortBylocal/);
  expect(await page.getByText('Nobody', { exact: true }).isVisible()).toBe(true);
  checkRequests();
});

test('the table of sockets is filtered, ordered and turned over by keyboard', async () => {
  const page = await open(1280);
  const names = page.locator('#sockets tbody a');
  await page.getByText(`1–100 of ${2 * SOCKETS + 2}`).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('client 19');
  await expect.poll(() => names.count()).toBe(11);
  await page.getByRole('button', { name: 'Socket' }).focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => names.first().textContent()).toMatch(/^client 19 #/);
  await page.keyboard.press('Enter');
  await expect.poll(() => names.first().textContent()).toMatch(/^client 199 #/);
  await names.first().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /client 199$/ }).waitFor();
  await page.keyboard.press('Escape');
  await expect.poll(() => page.locator('#details').isHidden()).toBe(true);
  expect(await names.first().evaluate((link) => link === link.ownerDocument.activeElement)).toBe(true);
  checkRequests();
});

test('the tables of reconnecting sockets and pools show the attempts, the last end and who waits', async () => {
  const page = await open(1280);
  const row = (name: RegExp) => page.getByRole('row', { name });
  await row(
    /^feed #\d+ 127\.0\.0\.1:1 waiting, attempt \d+ in [\d.]+ m?s \d\d:\d\d:\d\d ConnectError ECONNREFUSED: /,
  ).waitFor();
  await row(/^redis #\d+ localhost:\d+ open 1 of 1 1 0 2$/).waitFor();
  expect(problems).toEqual([]);
});

test('the page is readable at the width of a phone, in the dark', async () => {
  const page = await open(380, 'dark');
  await page.getByRole('link', { name: /^client 0 / }).click();
  await page.getByRole('heading', { name: /client 0$/ }).waitFor();
  await page.getByText('Last events').waitFor();
  // Nothing sticks out to the right.
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(380);
  expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(20, 23, 28)');
  checkRequests();
});

test('axe finds nothing wrong with the page, nor with its colours in the dark', async () => {
  const page = await open(1280);
  await page.getByRole('searchbox').fill('client 7');
  await page.getByText('1–11 of 11').waitFor();
  await page.getByRole('link', { name: /^client 7 / }).click();
  await page.getByRole('heading', { name: /client 7$/ }).waitFor();
  expect(await violations(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await violations(page, { runOnly: ['color-contrast'] })).toEqual([]);
});
