// Restarts a program of generations.mjs while many clients connect. Each client must get its whole answer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type net from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { drainRaw } from '../raw-peers.js';

export interface Restarts {
  /** The address at which all generations listen. */
  readonly address: string;
  /**
   * Restarts it three times while eight clients at a time connect and read to the end. The first process then exits.
   */
  underLoad(dial: () => net.Socket): Promise<void>;
  /** Ends the last generation. Resolves when none is left. */
  stop(): Promise<void>;
}

/** Starts it. It is killed when the test is over. */
export async function restarts(file: string, args: readonly string[] = []): Promise<Restarts> {
  const first = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let log = '';
  let pid = first.pid as number;
  let running = true;
  // Closes with the last process that has its standard output.
  const closed = once(first, 'close').then(() => {
    running = false;
  });
  const exited = once(first, 'exit');
  onTestFinished(async () => {
    if (running) process.kill(pid, 'SIGKILL');
    await closed;
  });
  first.stdout.on('data', (bytes: Buffer) => {
    log += bytes;
  });
  const printed = async (pattern: RegExp) => {
    for (;;) {
      const found = pattern.exec(log);
      if (found) return found;
      await once(first.stdout, 'data');
    }
  };
  const listens = async (generation: number) => {
    const [, number, address] = await printed(new RegExp(`^listening ${generation} (\\d+) (.*)$`, 'm'));
    pid = Number(number);
    return address as string;
  };

  const address = await listens(0);
  const underLoad = async (dial: () => net.Socket) => {
    const answers = [0, 0, 0, 0];
    const wrong: string[] = [];
    let stop = false;
    const hammer = async () => {
      while (!stop) {
        const { bytes, end } = await drainRaw(dial());
        const answer = `${bytes} ${end}`;
        const generation = Number(/^generation (\d)\n/.exec(answer)?.[1]);
        if (answer === `generation ${generation}\n${'x'.repeat(50_000)}\nend\n end`) answers[generation]! += 1;
        else wrong.push(answer.replace(/x+/, 'x…'));
      }
    };
    const hammers = Array.from({ length: 8 }, hammer);
    for (let generation = 0; generation < 3; generation++) {
      await expect.poll(() => answers[generation]).toBeGreaterThan(50);
      process.kill(pid, 'SIGHUP');
      expect(await listens(generation + 1)).toBe(address);
      await printed(new RegExp(`^closed ${generation}$`, 'm'));
    }
    await expect.poll(() => answers[3]).toBeGreaterThan(50);
    // Nothing keeps a process alive that has handed over: not its successor either.
    expect(await exited).toEqual([0, null]);
    stop = true;
    await Promise.all(hammers);
    expect(wrong).toEqual([]);
    expect(log).not.toContain('connectionError');
  };
  const stop = async () => {
    process.kill(pid, 'SIGTERM');
    await closed;
  };
  return { address, underLoad, stop };
}
