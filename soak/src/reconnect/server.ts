// The server of `reconnect`: it comes and goes in virtual time, and ends connections in every way.
import { data, Socket } from '@rxsock/core';
import { Connection, resolveSocketOptions } from '@rxsock/core/internal';
import { socketPair } from '@rxsock/core/testing';
import type { VirtualTimeScheduler } from 'rxjs';
import type { Findings } from '../findings.js';
import type { Random } from '../random.js';
import { MessageReader } from './messages.js';

/** Mean times, in milliseconds. */
const MEAN_UP = 600_000;
const MEAN_DOWN = 60_000;
const MEAN_LIFE = 120_000;
const MEAN_TALK = 5_000;
const MEAN_STALL = 60_000;
const MEAN_STALL_LENGTH = 20_000;
const CONNECT_TIMEOUT = 10_000;

/** The server's side of one connection. */
export interface ServerConnection {
  readonly number: number;
  /** What it has received. */
  readonly messages: MessageReader;
}

export class ComingAndGoingServer {
  readonly #scheduler: VirtualTimeScheduler;
  readonly #random: Random;
  readonly #findings: Findings;
  #up = true;
  /** Whether it stays up for good. */
  #steady = false;
  #connections = 0;
  #current: { readonly socket: Socket; readonly connection: ServerConnection } | undefined;

  constructor(scheduler: VirtualTimeScheduler, random: Random, findings: Findings) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#findings = findings;
    this.#goDownLater();
  }

  /** The connection that the last dial has opened; `undefined` if that dial has failed. */
  get connection(): ServerConnection | undefined {
    return this.#current?.connection;
  }

  /** From now on it stays up and ends no connection. */
  stayUp(): void {
    this.#up = true;
    this.#steady = true;
  }

  /** Makes the socket of a client: connected to this server, or one whose dial will fail. */
  dial(): Socket {
    this.#current = undefined;
    if (!this.#up) return this.#failingSocket();
    const scheduler = this.#scheduler;
    const [client, socket] = socketPair({ scheduler, latency: this.#random.size(1, 500), highWaterMark: 1_024 });
    const onWrong = (what: string) => this.#findings.violation(what);
    const connection = { number: this.#connections++, messages: new MessageReader(onWrong) };
    this.#current = { socket, connection };
    socket.allowHalfOpen = false;
    socket.pipe(data()).subscribe({ next: (chunk) => connection.messages.push(chunk), error: () => {} });
    this.#later(0, socket, () => this.#talk(socket, connection.number, 0));
    // Some connections end at once, as behind a proxy whose server is down.
    const life = this.#random.chance(0.2) ? 0 : this.#random.wait(MEAN_LIFE);
    this.#later(life, socket, () => this.#end(socket));
    this.#later(this.#random.wait(MEAN_STALL), socket, () => this.#stall(socket));
    return client;
  }

  /** A socket whose dial is refused, or never answered. */
  #failingSocket(): Socket {
    const scheduler = this.#scheduler;
    const answers = this.#random.chance(0.8);
    return new Socket(
      new Connection(
        {
          type: 'tcp',
          target: 'the server',
          dial: (handlers) => {
            const refuse = () => {
              handlers.failed(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
              handlers.closed();
            };
            if (answers) scheduler.schedule(refuse, 1);
            return { cancel: () => scheduler.schedule(() => handlers.closed()) };
          },
        },
        resolveSocketOptions({ scheduler }),
        { connectTimeout: CONNECT_TIMEOUT },
      ),
    );
  }

  /** Sends numbered lines. */
  #talk(socket: Socket, connection: number, line: number): void {
    socket.next(`${connection}:${line}\n`);
    this.#later(this.#random.wait(MEAN_TALK), socket, () => this.#talk(socket, connection, line + 1));
  }

  #stall(socket: Socket): void {
    const release = socket.hold('a stall on purpose');
    this.#scheduler.schedule(release, this.#random.wait(MEAN_STALL_LENGTH));
    this.#later(this.#random.wait(MEAN_STALL), socket, () => this.#stall(socket));
  }

  #end(socket: Socket): void {
    if (this.#steady) return;
    if (this.#random.chance(0.5)) socket.complete();
    else socket.error('the server has crashed on purpose');
  }

  #goDownLater(): void {
    this.#scheduler.schedule(() => {
      if (this.#steady) return;
      this.#up = false;
      if (this.#current) this.#end(this.#current.socket);
      this.#scheduler.schedule(() => {
        this.#up = true;
        this.#goDownLater();
      }, this.#random.wait(MEAN_DOWN));
    }, this.#random.wait(MEAN_UP));
  }

  /** Does something later, if the connection is then still open for writing. */
  #later(delay: number, socket: Socket, run: () => void): void {
    this.#scheduler.schedule(() => {
      if (socket.readyState === 'open') run();
    }, delay);
  }
}
