// Runs other programs, and built examples, as child processes.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { onTestFinished } from 'vitest';
import { needProgram } from './need-program.js';
import { programFolders } from './programs.mjs';

/** How a program runs. */
export interface ProgramOptions {
  /** Written to its standard input, which is then closed. Without it, standard input stays open: see `stdin`. */
  readonly input?: string | Buffer;
  /** Environment variables in addition to those of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** The user and the group that it runs as. Only root may choose them. */
  readonly uid?: number;
  readonly gid?: number;
}

const path = programFolders().join(delimiter);

/** A running program. `await using` makes sure that it ends with its test. Without the program the test is skipped. */
export class Program implements AsyncDisposable {
  stdout = '';
  stderr = '';
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #bytes: Buffer[] = [];
  readonly #waiting = new Set<() => void>();
  #over = false;

  constructor(command: string, args: readonly string[], { input, env, ...user }: ProgramOptions = {}) {
    needProgram(command);
    const child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, PATH: path, ...env }, ...user });
    this.#child = child;
    cleanUp(() => this[Symbol.asyncDispose]());
    child.stdin.on('error', () => {});
    if (input !== undefined) child.stdin.end(input);
    child.stdout.on('data', (bytes: Buffer) => this.#bytes.push(bytes));
    for (const name of ['stdout', 'stderr'] as const) {
      const decoder = new StringDecoder();
      child[name].on('data', (bytes: Buffer) => {
        this[name] += decoder.write(bytes);
        this.#changed();
      });
    }
    this.exited = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => resolve(code ?? signal));
    });
    const onEnd = () => {
      this.#over = true;
      this.#changed();
    };
    this.exited.then(onEnd, onEnd);
  }

  /** Its standard input. */
  get stdin(): ChildProcessWithoutNullStreams['stdin'] {
    return this.#child.stdin;
  }

  /** What it has printed, as bytes. */
  get bytes(): Buffer {
    return Buffer.concat(this.#bytes);
  }

  /** Waits until the program has printed text that matches. */
  async printed(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this[stream]);
      if (found) return found;
      if (this.#over) {
        const how = await this.exited;
        throw new Error(`The program ended (${how}) without printing ${pattern}:\n${this.stdout}${this.stderr}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends Ctrl-C. Resolves with the exit code. */
  interrupt(): Promise<number | NodeJS.Signals | null> {
    this.kill('SIGINT');
    return this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill('SIGKILL');
    await this.exited.catch(() => {});
  }

  #changed(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], input: string | Buffer = ''): Promise<Program> {
  const program = new Program(command, args, { input });
  await program.exited;
  return program;
}

/** For a test that times out and so does not reach the end of its block. */
function cleanUp(dispose: () => Promise<void>): void {
  try {
    onTestFinished(dispose);
  } catch {
    // Not in a test: afterAll ends what beforeAll starts.
  }
}
