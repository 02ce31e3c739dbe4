// The tour as users run it: the build, in its own process, with and without something that fails.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runtime } from '../support/runtime.js';

const built = (file: string) => new URL(`../../examples/dist/tour/${file}`, import.meta.url);
const MAIN = built('main.js').pathname;
const ESCAPE = '\u001B';

let temporary: string;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'tour-test-'));
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
  await rm(temporary, { recursive: true });
});

function start(command: string, args: readonly string[]) {
  const child = spawn(command, args, {
    env: { ...process.env, TMPDIR: temporary, FORCE_COLOR: '3' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  return child;
}

async function run(command: string, args: readonly string[]) {
  const child = start(command, args);
  const [[code], output, errors] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  children.delete(child);
  return { code: code as number | null, output, errors, rows: rowsOf(output), left: await readdir(temporary) };
}

/** The result of each step in the table at the end. */
function rowsOf(output: string): Record<string, string> {
  const cells = output
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) => line.split('│').map((cell) => cell.trim()));
  return Object.fromEntries(cells.slice(1).map((row) => [row[1], row[5]]));
}

describe('the tour', () => {
  test('proves every step, in plain lines without a terminal, and leaves nothing behind', async () => {
    const { code, output, errors, rows, left } = await run(runtime.executable, [...runtime.args, MAIN, '--size', '16']);
    expect(errors).toBe('');
    expect(rows).toEqual({
      'file over TCP': '✔ 4 of 4',
      'slow receiver': '✔ 5 of 5',
      'chat of three': '✔ 3 of 3',
      'half-close': '✔ 3 of 3',
      'port forwarder': '✔ 6 of 6',
      TLS: '✔ 4 of 4',
      'UNIX socket': '✔ 3 of 3',
      UDP: '✔ 3 of 3',
    });
    expect(output).toContain('sent  100% of 16 MiB');
    expect(output).toContain('16777216 bytes saved');
    expect(output).toContain('connect → finish → data → end → close');
    expect(output).toContain('Every check of every step passed.');
    expect(output).not.toContain(ESCAPE);
    expect(output).not.toContain('✘');
    expect(left).toEqual([]);
    expect(code).toBe(0);
  }, 120_000);

  test('fails where the disk fails, continues with steps that do not need it, and removes what it has written', async () => {
    const command = [runtime.executable, ...runtime.args, MAIN].map((part) => `"${part}"`).join(' ');
    // No file may grow over 4,096 blocks: 2 or 4 MiB.
    const limited = `trap '' XFSZ; ulimit -f 4096; exec ${command} --size 16`;
    const { code, output, rows, left } = await run('sh', ['-c', limited]);
    expect(rows).toEqual({
      'file over TCP': '✘ failed',
      'slow receiver': '✘ failed',
      'chat of three': '✔ 3 of 3',
      'half-close': '✔ 3 of 3',
      'port forwarder': '✔ 6 of 6',
      TLS: '✔ 4 of 4',
      'UNIX socket': '✔ 3 of 3',
      UDP: '✔ 3 of 3',
    });
    expect(output).toContain('✘ file over TCP: Error: EFBIG');
    expect(output).not.toContain('Every check');
    expect(left).toEqual([]);
    expect(code).toBe(1);
  }, 120_000);

  test('stops at a signal, and removes its files', async () => {
    const child = start(runtime.executable, [...runtime.args, MAIN, '--size', '16']);
    const exited = once(child, 'exit');
    let output = '';
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += chunk;
      if (output.includes('2/8')) break;
    }
    expect(await readdir(temporary)).toHaveLength(1);
    child.kill('SIGINT');
    expect(await text(child.stdout)).toContain('Stopped by SIGINT');
    expect(await exited).toEqual([130, null]);
    expect(await readdir(temporary)).toEqual([]);
  }, 120_000);

  test('shows its sockets with --inspect, and goes on until a signal', async () => {
    const child = start(runtime.executable, [...runtime.args, MAIN, '--size', '16', '--inspect']);
    const exited = once(child, 'exit');
    let output = '';
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      output += chunk;
      if (output.includes('Ctrl-C')) break;
    }
    const [url] = /http:\/\/127\.0\.0\.1:\d+\/[\w-]{32}\//.exec(output)!;
    const stream = await fetch(`${url}events?show=held`);
    let sent = '';
    for await (const chunk of stream.body!.pipeThrough(new TextDecoderStream())) {
      sent += chunk;
      if (/"rows":\[[^\]]*"name":"sensor-7"[^\]]*"holder":"lines ← mapWithBackpressure"/.test(sent)) break;
    }
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(await readdir(temporary)).toEqual([]);
  }, 120_000);

  test('prints its options', async () => {
    const help = await run(runtime.executable, [...runtime.args, MAIN, '--help']);
    expect(help.output).toContain('--size <MiB>');
    expect(help.code).toBe(0);
    for (const args of [['--size', '15'], ['--size', 'x'], ['--sise', '16'], ['16']]) {
      const wrong = await run(runtime.executable, [...runtime.args, MAIN, ...args]);
      expect(wrong.errors).toMatch(/^error: /);
      expect(wrong.output).toBe('');
      expect(wrong.code).toBe(2);
      expect(wrong.left).toEqual([]);
    }
  }, 60_000);
});

describe('a step of the tour', () => {
  const good = "{ name: 'good', run: async () => outcome([check(true, 'one is one')]) }";

  async function tour(...steps: readonly string[]) {
    const script = `
      import { check } from '${built('kit/outcome.js')}';
      import { Screen } from '${built('kit/screen.js')}';
      import { runTour } from '${built('kit/tour.js')}';
      const outcome = (checks) => ({ bytes: 1, seconds: 1, peakQueue: 0, checks });
      const steps = [${steps.join(',')}].map((step) => ({ shows: '', source: '', ...step }));
      process.exit(await runTour(steps, new Screen(), 500));`;
    return await run(process.execPath, ['--input-type=module', '--eval', script]);
  }

  test('passes when all its checks hold', async () => {
    const { code, rows } = await tour(good);
    expect(rows).toEqual({ good: '✔ 1 of 1' });
    expect(code).toBe(0);
  });

  test.each([
    ['a check that does not hold', "outcome([check(true, 'is'), check(false, 'is not')])", '✘ 1 of 2', '✘ bad: is not'],
    ['no checks', 'outcome([])', '✘ 0 of 0', '✘ bad: it has no checks'],
    ['an error', "(() => { throw new RangeError('oh') })()", '✘ failed', '✘ bad: RangeError: oh'],
    ['no end in time', 'new Promise(() => {})', '✘ failed', '✘ bad: Error: the step took longer than 0.5 s'],
  ])('fails the tour with %s, and later steps still run', async (_, result, cell, line) => {
    const { code, output, rows } = await tour(`{ name: 'bad', run: async () => ${result} }`, good);
    expect(rows).toEqual({ bad: cell, good: '✔ 1 of 1' });
    expect(output).toContain(line);
    expect(output).not.toContain('Every check');
    expect(code).toBe(1);
  });

  test('is required: a tour without steps proves nothing', async () => {
    expect((await tour()).code).toBe(1);
  });
});
