// The other end of the connection, as the measured process sees it. It is a separate process, so that its work is not
// measured: a program in C where Node would be the limit and there is a compiler, or else peers/main.ts.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Format, patternOf } from './pattern.js';
import { type Address, freePath, type TransportName } from './raw.js';

export interface PeerOptions {
  /**
   * `blast` sends `amount` bytes and FIN; `sink` counts what it receives; `echo` sends back what it receives; `ping`
   * makes `amount` round trips, one at a time; `cycle` opens `amount` connections, which end after one echo; `idle` opens
   * as many, which stay open; `datagrams` sends `amount` datagrams and waits for their echoes; `redis` is redis-server.
   */
  readonly role: 'blast' | 'sink' | 'echo' | 'ping' | 'cycle' | 'idle' | 'datagrams' | 'redis';
  readonly amount: number;
  /** @defaultValue `'tcp'` */
  readonly transport?: TransportName;
  /** For `blast`: what it sends, again and again. @defaultValue one long text */
  readonly format?: Format;
  /** For `ping` and `datagrams`: the length of a message, in bytes. @defaultValue 64 */
  readonly size?: number;
  /** For `ping`: how many connections it opens. They share the round trips. @defaultValue 1 */
  readonly connections?: number;
  /** For `blast`: counts the bytes that come back instead of those that it sends. */
  readonly countReceived?: boolean;
}

/** What a peer has done. */
export interface PeerResult {
  /** Bytes, round trips or connections. */
  readonly count: number;
  /** 99 of 100 round trips were as fast or faster, in milliseconds. */
  readonly p99?: number;
}

/** The messages of a peer: first where it listens; at the end what it has done. */
export type PeerMessage = { readonly address: Address } | PeerResult;

export class Peer {
  /** What it is: its role, and what it is made of. */
  readonly name: string;
  /** Where it listens. */
  readonly address: Address;
  readonly #process: ChildProcess;
  readonly #result: Promise<PeerResult>;

  private constructor(process: ChildProcess, name: string, address: Address, result: Promise<PeerResult>) {
    this.#process = process;
    this.name = name;
    this.address = address;
    this.#result = result;
    result.catch(() => {});
  }

  /**
   * @param node The program of Node.
   * @param native The peer that is compiled from C, if there is one.
   */
  static start(options: PeerOptions, node: string, native?: string): Promise<Peer> {
    const { role, transport = 'tcp' } = options;
    const isNative = native !== undefined && isWrittenInC(role) && transport !== 'tls';
    return isNative ? Peer.#startNative(options, native) : Peer.#startNode(options, node);
  }

  static async #startNode(options: PeerOptions, node: string): Promise<Peer> {
    const file = new URL('./peers/main.js', import.meta.url);
    const child = fork(file, [JSON.stringify(options)], { execPath: node, execArgv: [] });
    const exit = failedAtExit(child, options.role);
    const [message] = await Promise.race([once(child, 'message'), exit]);
    const result = Promise.race([once(child, 'message').then(([done]) => done as PeerResult), exit]);
    const program = options.role === 'redis' ? 'redis-server' : 'Node';
    return new Peer(child, `${options.role} (${program})`, (message as { address: Address }).address, result);
  }

  static async #startNative(options: PeerOptions, native: string): Promise<Peer> {
    const { role, amount, transport = 'tcp', format, countReceived } = options;
    const path = freePath();
    const child = spawn(native, [role, `${amount}`, transport, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    // It may have ended before it reads a command.
    child.stdin.on('error', () => {});
    const pattern = role === 'blast' ? patternOf(format) : Buffer.alloc(0);
    child.stdin.write(Buffer.concat([Buffer.from(`${pattern.length}\n`), pattern]));
    const lines = createInterface(child.stdout);
    const exit = failedAtExit(child, role);
    const [line] = await Promise.race([once(lines, 'line'), exit]);
    const address = transport === 'unix' ? { path } : { host: '127.0.0.1', port: Number(line.split(' ')[1]) };
    const result = Promise.race([once(lines, 'line'), exit]).then(([line]) => {
      const [, sent, received] = line.split(' ').map(Number);
      return { count: role === 'blast' && !countReceived ? sent : received };
    });
    return new Peer(child, `${role} (C)`, address, result);
  }

  /** The port on which it listens, if it does not listen at a path. */
  get port(): number {
    if ('path' in this.address) throw new Error(`The peer ${this.name} listens at a path`);
    return this.address.port;
  }

  /** Makes the peer dial a server of the measured process. */
  dial(to: number | Address): void {
    const address = typeof to === 'number' ? { host: '127.0.0.1', port: to } : to;
    if (this.#process.stdin) this.#process.stdin.write(`dial ${'path' in address ? address.path : address.port}\n`);
    else this.#process.send({ dial: address });
  }

  /** Resolves with the peer's count of bytes, round trips or connections, when its connections are closed. */
  async count(): Promise<number> {
    return (await this.#result).count;
  }

  /** The same, with times. */
  result(): Promise<PeerResult> {
    return this.#result;
  }

  /** Ends the process. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.kill();
    await exit;
  }
}

function isWrittenInC(role: PeerOptions['role']): boolean {
  return role === 'blast' || role === 'sink' || (role === 'echo' && process.platform === 'linux');
}

async function failedAtExit(child: ChildProcess, role: string): Promise<never> {
  const [code, signal] = await once(child, 'exit');
  throw new Error(`The peer ${role} ended (${code ?? signal})`);
}
