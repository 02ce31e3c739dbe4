// Follows the diagnostics channels, and keeps a record of every socket and server that is open. What a channel does not
// say is looked up by sample(), which runs only while a page is open. The channels of holds are not followed: a busy
// socket publishes on them with every chunk.

import type { CloseReport, Server, Socket, SocketError } from '@rxsock/core';
import { type ChannelMessages, type ChannelName, channel } from '@rxsock/core/diagnostics';
import { controlOf, liveDatagramSockets, liveServers, liveSockets } from '@rxsock/core/internal';
import { Subscription } from 'rxjs';
import { ClosedSockets } from './closed-sockets.js';
import { describeError } from './describe-error.js';
import type { Totals } from './messages.js';
import { ReconnectRows } from './reconnect-rows.js';
import { ServerRecords } from './server-records.js';
import { type InspectedSocket, SocketRecord } from './socket-record.js';

export class Recorder {
  readonly sockets = new Map<object, SocketRecord>();
  readonly servers = new ServerRecords();
  readonly closedSockets = new ClosedSockets();
  readonly reconnects = new ReconnectRows();
  readonly #subscription = new Subscription();
  #closed = 0;
  #failed = 0;
  #dropped = 0;
  #sampledAt = Number.NEGATIVE_INFINITY;
  /** What the last sample has found. */
  #sums = { readRate: 0, writeRate: 0, writableLength: 0, readableLength: 0 };

  constructor() {
    for (const socket of liveSockets as ReadonlySet<object> as ReadonlySet<Socket>) this.#known(socket);
    for (const socket of liveDatagramSockets) this.#add(socket as InspectedSocket, undefined);
    for (const server of liveServers) this.servers.of(server as Server);

    this.#on('rxsock:socket:dial', ({ socket, target }) => {
      const record = this.#known(socket);
      record.target = target;
      record.note(`dials ${target}`, { state: socket.readyState });
    });
    this.#on('rxsock:socket:open', ({ socket, dialDuration }) => {
      const after = dialDuration === undefined ? '' : ` after ${dialDuration.toFixed(1)} ms`;
      this.#known(socket).note(`open${after}`, { state: 'open' });
    });
    this.#on('rxsock:socket:error', ({ socket, error }) => this.sockets.get(socket)?.note(describeError(error)));
    this.#on('rxsock:socket:close', ({ socket, report, error }) => this.#end(socket, report, error));

    this.#on('rxsock:server:listening', ({ server }) => this.servers.of(server));
    this.#on('rxsock:server:connection', ({ server }) => this.servers.of(server).accepted++);
    this.#on('rxsock:server:drop', (message) => {
      this.#dropped++;
      this.servers.noteDrop(message);
    });
    this.#on('rxsock:server:close', ({ server }) => this.servers.delete(server));

    this.#on('rxsock:reconnect:close', ({ socket, error }) => this.reconnects.noteEnd(socket, error));

    this.#on('rxsock:datagram:open', ({ socket }) => this.#add(socket, undefined).note('open', { state: 'open' }));
    this.#on('rxsock:datagram:error', ({ socket, error }) => this.sockets.get(socket)?.note(describeError(error)));
    this.#on('rxsock:datagram:close', ({ socket, error }) => this.#end(socket, {}, error));
  }

  /** Follows the channels no longer. */
  stop(): void {
    this.#subscription.unsubscribe();
    this.sockets.clear();
  }

  find(id: number): SocketRecord | undefined {
    for (const record of this.sockets.values()) if (record.socket.id === id) return record;
    return undefined;
  }

  get totals(): Totals {
    const counts = { closed: this.#closed, failed: this.#failed, dropped: this.#dropped };
    return { sockets: this.sockets.size, ...this.#sums, ...counts };
  }

  /**
   * Looks at all sockets.
   * @param longest If the last look is longer ago, in milliseconds, there are no rates: they would say nothing about now.
   */
  sample(longest: number): void {
    const now = performance.now();
    const elapsed = now - this.#sampledAt;
    this.#sampledAt = now;
    const seconds = elapsed > longest ? Number.POSITIVE_INFINITY : elapsed / 1000;
    const sums = { readRate: 0, writeRate: 0, writableLength: 0, readableLength: 0 };
    for (const record of this.sockets.values()) {
      record.sample(seconds);
      sums.readRate += record.readRate;
      sums.writeRate += record.writeRate;
      sums.writableLength += record.socket.writableLength;
      sums.readableLength += record.socket.readableLength ?? 0;
    }
    this.#sums = sums;
  }

  #on<N extends ChannelName>(name: N, listener: (message: ChannelMessages[N]) => unknown): void {
    this.#subscription.add(channel(name).subscribe(listener));
  }

  /** Returns the record of a socket, also of one that is not known yet. */
  #known(socket: Socket): SocketRecord {
    return this.sockets.get(socket) ?? this.#add(socket, controlOf(socket).role);
  }

  #add(socket: InspectedSocket, role: SocketRecord['role']): SocketRecord {
    const record = new SocketRecord(socket, role);
    this.sockets.set(socket, record);
    return record;
  }

  #end(socket: object, report: Partial<CloseReport>, error: SocketError | undefined): void {
    const record = this.sockets.get(socket);
    if (!record) return;
    this.sockets.delete(socket);
    this.#closed++;
    if (error) this.#failed++;
    this.closedSockets.add(record, report, error);
  }
}
