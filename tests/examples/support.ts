// Runs the built examples, and the programs that talk to them, as child processes.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath } from 'node:url';

const folder = new URL('../../examples/', import.meta.url);

/** The examples: the names that `npm run example` takes. */
export const servers = ['chat-server', 'echo-server', 'half-close-server', 'http-server', 'info-server'];
export const examples = [...servers, 'port-forwarder', 'receive-file', 'http-client', 'request-response', 'send-file'];

/** The source of an example. */
export const sourceOf = (name: string): URL => new URL(`${name}.ts`, folder);

/** A running program. `await using` makes sure that it does not outlive its test. */
export class Program implements AsyncDisposable {
  stdout = '';
  stderr = '';
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Set<() => void>();
  #over = false;

  constructor(command: string, args: readonly string[], input?: string | Buffer) {
    const child = spawn(command, args, { stdio: 'pipe' });
    this.#child = child;
    child.stdin.on('error', () => {});
    if (input !== undefined) child.stdin.end(input);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        this[name] += text;
        this.#changed();
      });
    }
    this.exited = new Promise((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? missing(command) : error));
      child.on('close', (code, signal) => resolve(code ?? signal));
    });
    const over = () => {
      this.#over = true;
      this.#changed();
    };
    this.exited.then(over, over);
  }

  /** Waits until it has printed something that matches. */
  async printed(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this[stream]);
      if (found) return found;
      if (this.#over) throw new Error(`It ended without printing ${pattern}:\n${this.stdout}${this.stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Waits until a server listens. */
  async port(): Promise<number> {
    const [, port] = await this.printed(/^Listening on 127\.0\.0\.1:(\d+)\n/m);
    return Number(port);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ctrl-C; resolves to the exit code. */
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

/** Starts an example. */
export function example(name: string, ...args: readonly (string | number)[]): Program {
  const file = fileURLToPath(new URL(`dist/${name}.js`, folder));
  if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build" first`);
  return new Program(process.execPath, [file, ...args.map(String)]);
}

/** Runs a program to its end. */
export async function run(command: string, args: readonly string[], input: string | Buffer = ''): Promise<Program> {
  const program = new Program(command, args, input);
  await program.exited;
  return program;
}

/** A client that half-closes on its own; it keeps what it receives. */
export class Client implements Disposable {
  readonly socket: net.Socket;
  /** What it has received, as text. */
  text = '';
  /**
   * How it ended: with the server's FIN, or the code of an error. Before Node 24, a reset right behind bytes is taken for
   * a FIN: where it matters, the server has said nothing shortly before.
   */
  readonly ended: Promise<string>;
  readonly #decoder = new StringDecoder();
  #chunks: Buffer[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(port: number) {
    this.socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    this.socket.on('data', (bytes) => {
      this.#chunks.push(bytes);
      this.text += this.#decoder.write(bytes);
      for (const wake of this.#waiting) wake();
      this.#waiting.clear();
    });
    this.ended = new Promise((resolve) => {
      this.socket.on('end', () => resolve('fin'));
      this.socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });
  }

  /** What it has received. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Forgets what it has received. */
  clear(): void {
    this.#chunks = [];
    this.text = '';
  }

  /** Waits until something has come. */
  async heard(text: string): Promise<void> {
    while (!this.text.includes(text)) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

const packages: Record<string, string> = { nc: 'netcat-openbsd' };

function missing(command: string): Error {
  return new Error(`This test needs ${command}: apt-get install ${packages[command] ?? command}`);
}
