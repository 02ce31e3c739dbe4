// Where a behaviour is checked: sockets of one transport, which are closed when the test is over.
import { type Endpoint, on, type Server, type ServerEvent, type Socket, type SocketOptions } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { firstValueFrom, type Subscription } from 'rxjs';
import { onTestFinished, vi } from 'vitest';
import { type Recording, record } from '../../support/record.js';
import { turns } from '../../support/turns.js';
import type { DialledTransport, DialOptions, ListenOptions, Transport } from './transport.js';
import { until } from './until.js';

/** Which of two sockets a behaviour looks at. Both kinds must behave alike. */
export type Role = 'dialled' | 'accepted';

export interface Listening extends Recording<ServerEvent> {
  readonly server: Server;
  readonly address: Endpoint;
  /** An idle socket. */
  dial(options?: DialOptions): Socket;
  /** The next accepted socket. */
  next(): Promise<Socket>;
}

export interface Connected {
  /** The socket under test. */
  readonly near: Socket;
  /** Its peer. */
  readonly far: Socket;
}

export class Lab {
  /** The virtual clock of sockets that are given it. Timers that are due now fire without a call. */
  readonly clock = new VirtualClock();
  readonly transport: Transport;
  readonly #role: Role;
  #warnings: string[] = [];
  readonly #watches = new Map<Socket, Subscription>();

  constructor(transport: Transport, role: Role) {
    this.transport = transport;
    this.#role = role;
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation((warning, options?: unknown) => {
      // Of the runtime, once in a process: docs/runtimes.md says where.
      if ((options as { code?: string } | undefined)?.code === 'ERR_TLS_CUTS_NOT_SHOWN') return;
      this.#warnings.push(
        typeof warning === 'string' ? warning : ((warning as { code?: string }).code ?? warning.name),
      );
    });
    onTestFinished(() => warn.mockRestore());
    let turn: NodeJS.Immediate;
    const pump = () => {
      this.clock.tick(0);
      turn = setImmediate(pump);
    };
    pump();
    onTestFinished(() => clearImmediate(turn));
  }

  /** Two open, connected sockets that nobody reads. A watcher keeps each of them open: see `leave`. */
  readonly connected = async (options: SocketOptions = {}): Promise<Connected> => {
    let sockets: readonly [Socket, Socket];
    if (this.transport.has.server) {
      const { dial, next, subscription } = await this.listening(options);
      const dialled = dial(options);
      this.#watch(dialled);
      sockets = [dialled, await next()];
      // It accepts no more.
      subscription.unsubscribe();
    } else {
      sockets = (this.transport as Exclude<Transport, DialledTransport>).join({ scheduler: this.clock, ...options });
    }
    for (const socket of sockets) this.#watch(socket);
    await until(() => sockets.every(({ readyState }) => readyState === 'open'));
    const [near, far] = this.#role === 'dialled' ? sockets : [sockets[1], sockets[0]];
    return { near, far };
  };

  /** Two sockets whose timers are on the clock. */
  readonly timed = (options: SocketOptions = {}): Promise<Connected> =>
    this.connected({ scheduler: this.clock, ...options });

  /** A server. Its sockets may stay unclaimed without limit. */
  readonly listening = async (options: ListenOptions = {}): Promise<Listening> => {
    const { listen, connect } = this.#dialled;
    const server = listen({ claimTimeout: 0, ...options });
    const events = record<ServerEvent>(server);
    onTestFinished(() => server.close({ drain: 0 }));
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    const accepted = () => events.values.flatMap((event) => (event.type === 'connection' ? [event.socket] : []));
    let seen = 0;
    const next = async () => {
      const index = seen++;
      await until(() => accepted().length > index);
      return accepted()[index] as Socket;
    };
    const dial = (given: DialOptions = {}) => this.#kept(connect(address, given));
    return { ...events, server, address, dial, next };
  };

  /** A socket whose connection will be refused. */
  readonly dialNowhere = async (options: DialOptions = {}): Promise<Socket> => {
    return this.#kept(this.#dialled.connect(await this.#dialled.nowhere(), options));
  };

  /** The codes of the process warnings since the last call. A behaviour fails if it leaves one unchecked. */
  readonly warnings = (): string[] => {
    const warnings = this.#warnings;
    this.#warnings = [];
    return warnings;
  };

  /** Removes the watcher: without other subscribers, the socket has lost its last one. */
  readonly leave = (socket: Socket): void => {
    this.#watches.get(socket)?.unsubscribe();
  };

  /** Lets everything in flight happen: timers that are due, and their effects. */
  readonly settle = async (): Promise<void> => {
    await turns(30);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await turns(30);
  };

  #watch(socket: Socket): void {
    if (this.#watches.has(socket)) return;
    this.#kept(socket);
    this.#watches.set(socket, socket.pipe(on('close')).subscribe());
  }

  #kept(socket: Socket): Socket {
    onTestFinished(() => socket.error());
    return socket;
  }

  get #dialled(): DialledTransport {
    if (this.transport.has.server) return this.transport as DialledTransport;
    throw new Error(`${this.transport.name} does not listen: the behaviour needs 'server'`);
  }
}
