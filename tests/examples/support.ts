// Runs the built examples as child processes, and clients that talk to them.
import { existsSync } from 'node:fs';
import net from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { fileURLToPath } from 'node:url';
import { Program, type ProgramOptions } from '../support/program.js';
import { runtime } from '../support/runtime.js';

const folder = new URL('../../examples/', import.meta.url);

/** The names that `npm run example` accepts. */
export const servers = [
  'chat-server',
  'echo-server',
  'game-lobby',
  'half-close-server',
  'http-server',
  'info-server',
  'protocol-sniffer',
  'proxied-server',
  'restart-without-refusing',
  'scale-out',
  'starttls-server',
  'tls-echo-server',
];
/** The clients of real protocols, in a folder of their own. */
const clients = ['dns-client', 'irc-bot', 'mqtt-client', 'postgres-client', 'redis-client', 'smtp-client'];
export const examples = [
  ...servers,
  ...clients,
  'connection-pool',
  'direct-chat',
  'downloader',
  'file-server',
  'http-client',
  'multicast-discovery',
  'port-forwarder',
  'port-scan-detector',
  'receive-file',
  'reconnecting-client',
  'request-response',
  'send-file',
  'spamd-client',
  'single-instance',
  'starttls-client',
  'tls-client',
  'udp-client',
  'udp-echo-server',
  'unix-control',
  'unix-control-server',
];

const pathOf = (name: string): string => (clients.includes(name) ? `clients/${name}` : name);

/** The source of an example. */
export const sourceOf = (name: string): URL => new URL(`${pathOf(name)}.ts`, folder);

/** A running example. */
export class Example extends Program {
  /** Waits until it listens, if it is a server. */
  async port(): Promise<number> {
    const [, port] = await this.printed(/^Listening on 127\.0\.0\.1:(\d+)\n/m);
    return Number(port);
  }
}

/** Starts an example. */
export function example(name: string, ...args: readonly (string | number)[]): Example {
  return exampleWith({}, name, ...args);
}

/** Starts an example, with more environment variables or with an input. */
export function exampleWith(options: ProgramOptions, name: string, ...args: readonly (string | number)[]): Example {
  const file = fileURLToPath(new URL(`dist/${pathOf(name)}.js`, folder));
  if (!existsSync(file)) throw new Error(`${file} is missing: run "npm run build" first`);
  return new Example(runtime.executable, [...runtime.args, file, ...args.map(String)], options);
}

/** A client that half-closes on its own, and keeps what it receives. */
export class Client implements Disposable {
  readonly socket: net.Socket;
  /** The received text. */
  text = '';
  /**
   * How the connection ended: with the server's FIN, or the code of an error. Before Node 24, a reset right behind
   * bytes is taken for a FIN. Where it matters, the server has said nothing shortly before.
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

  /** The received bytes. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Forgets what was received. */
  clear(): void {
    this.#chunks = [];
    this.text = '';
  }

  /** Waits until this text has arrived. */
  async heard(text: string): Promise<void> {
    while (!this.text.includes(text)) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
