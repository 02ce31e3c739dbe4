// The built site: its files, and a browser that gets them from the disk and nothing from anywhere else.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { globSync } from 'tinyglobby';

const CHROMIUM = '/usr/bin/chromium';
const dist = join(import.meta.dirname, '..', 'dist');

/** The address under which the browser sees the files. Nothing listens there. */
export const ORIGIN = 'http://rxsock.test';

/** The paths of all pages, such as `/docs/sockets.html`, with their HTML. */
export async function readPages(): Promise<Map<string, string>> {
  const files = globSync('**/*.html', { cwd: dist });
  const pages = files.map(async (file) => [`/${file}`, await readFile(join(dist, file), 'utf8')] as const);
  return new Map(await Promise.all(pages));
}

/** The file that a web server sends for a path, or `undefined` if there is none. */
export function fileOf(path: string): string | undefined {
  const file = decodeURIComponent(path).replace(/\/$/, '/index.html');
  return [file, `${file}.html`].map((name) => join(dist, name)).find((name) => existsSync(name) && /\.\w+$/.test(name));
}

export async function launch(): Promise<Browser> {
  return await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

/** A page of the browser, and what went wrong in it: errors, and requests for anything that the site does not have. */
export interface Visit {
  readonly page: Page;
  readonly problems: string[];
}

export async function visit(browser: Browser, path: string, options: { width?: number; dark?: boolean } = {}) {
  const { width = 1280, dark = false } = options;
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: dark ? 'dark' : 'light' });
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  await page.route('**', async (route) => {
    const url = new URL(route.request().url());
    const file = url.origin === ORIGIN ? fileOf(url.pathname) : undefined;
    if (file) return await route.fulfill({ path: file });
    problems.push(`requested ${url}`);
    await route.abort();
  });
  await page.goto(ORIGIN + path, { waitUntil: 'networkidle' });
  return { page, problems } satisfies Visit;
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds, a line for each kind of violation. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return await page.evaluate(`axe.run().then(({ violations }) =>
    violations.map(({ id, nodes }) => id + ': ' + nodes.slice(0, 5).map(({ target }) => target).join(' | ')))`);
}
