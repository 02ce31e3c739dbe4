// What is to be sent: kept until the socket is open and the name is resolved, counted until its callback, and answered for.
import type dgram from 'node:dgram';
import { type AddressInfo, isIP, isIPv4 } from 'node:net';
import { type SocketError, WriteBufferOverflowError } from '@rxsock/core';
import { sendError } from './failures.js';
import type { Item } from './item.js';
import { resolve } from './open.js';
import type { Setup } from './options.js';

/** What an outbox tells its socket. */
export interface OutboxHandlers {
  failed(item: Item, error: SocketError): void;
  /** Nothing waits any more. */
  empty(): void;
}

/** What a datagram counts at least, so that many small ones and empty ones are bounded, too. */
const LEAST = 256;

const costOf = ({ bytes }: Item) => Math.max(LEAST, bytes.length);

export class Outbox {
  written = 0;
  bytesWritten = 0;
  unsent = 0;
  /** What waits, in bytes. */
  pending = 0;
  readonly #setup: Setup;
  readonly #handlers: OutboxHandlers;
  readonly #waiting = new Set<Item>();
  /** What waits for a name, by name. */
  readonly #unresolved = new Map<string, Item[]>();
  #node: dgram.Socket | undefined;
  #local: AddressInfo | undefined;
  #peer: AddressInfo | undefined;

  constructor(setup: Setup, handlers: OutboxHandlers) {
    this.#setup = setup;
    this.#handlers = handlers;
  }

  /** Takes a datagram, and answers for it in `failed` and `settle`. */
  send(item: Item): void {
    const { maxWriteBuffer: limit } = this.#setup.limits;
    if (this.pending > limit) {
      const message = `${this.pending} bytes wait to be sent, over maxWriteBuffer (${limit}): stop when next() answers false and go on at 'drain'`;
      return this.fail(item, new WriteBufferOverflowError(message, { phase: 'write', limit }));
    }
    this.pending += costOf(item);
    this.#waiting.add(item);
    if (this.#node) this.#route(item);
  }

  /** The socket is open: what waited goes out, in order. */
  open(node: dgram.Socket): void {
    this.#node = node;
    this.#local = node.address();
    if (this.#setup.near) this.#peer = node.remoteAddress();
    for (const item of [...this.#waiting]) this.#route(item);
  }

  /** Nothing goes out any more: all that waits fails. */
  break(error: SocketError): void {
    this.#node = undefined;
    for (const item of this.#waiting) this.#done(item, error);
  }

  fail(item: Item, error: SocketError): void {
    this.unsent++;
    this.#handlers.failed(item, error);
    item.settle?.(error);
  }

  /** Finds the address for a destination. On a socket for both families, an IPv4 address is written as an IPv6 one. */
  resolve(address: string, done: (error: NodeJS.ErrnoException | null, address: string) => void): void {
    const six = this.#local?.family === 'IPv6';
    const both = six && this.#local?.address === '::' && !this.#setup.options.ipv6Only;
    const wanted = both ? (this.#setup.options.family ?? 0) : six ? 6 : 4;
    const answer = (error: NodeJS.ErrnoException | null, found: string) =>
      done(error, both && isIPv4(found) ? `::ffff:${found}` : found);
    if (isIP(address)) answer(null, address);
    else resolve(this.#setup.options.lookup, address, wanted, answer);
  }

  #route(item: Item): void {
    const { address, port } = item.datagram.remote;
    if (this.#peer) {
      const known = address === this.#peer.address || address === this.#setup.host;
      if (known && port === this.#peer.port) this.#transmit(item);
      else this.#done(item, sendError({ message: 'this socket is connected to another peer', code: 'EISCONN' }, item));
      return;
    }
    if (isIP(address)) return this.resolve(address, (_error, found) => this.#transmit(item, found));
    // One lookup at a time for a name: what is sent to it meanwhile waits behind it, so that the order is kept.
    const queue = this.#unresolved.get(address);
    if (queue) {
      queue.push(item);
      return;
    }
    const items = [item];
    this.#unresolved.set(address, items);
    this.resolve(address, (error, found) => {
      this.#unresolved.delete(address);
      for (const each of items) error ? this.#done(each, sendError(error, each)) : this.#transmit(each, found);
    });
  }

  #transmit(item: Item, address?: string): void {
    const node = this.#node;
    if (!node) return;
    const sent = (error: NodeJS.ErrnoException | null) => this.#done(item, error ? sendError(error, item) : undefined);
    try {
      if (address === undefined) node.send(item.bytes, sent);
      else node.send(item.bytes, item.datagram.remote.port, address, sent);
    } catch (error) {
      sent(error as NodeJS.ErrnoException); // port 0, for one: a datagram can come from there, and none go
    }
  }

  #done(item: Item, error: SocketError | undefined): void {
    if (!this.#waiting.delete(item)) return;
    this.pending -= costOf(item);
    if (error) {
      this.fail(item, error);
    } else {
      this.written++;
      this.bytesWritten += item.bytes.length;
      item.settle?.();
    }
    if (this.pending === 0) this.#handlers.empty();
  }
}
