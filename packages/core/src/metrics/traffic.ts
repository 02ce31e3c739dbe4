// How many bytes and datagrams have passed: what closed sockets have carried, and what open ones have until now. It is
// added up when somebody looks, so that a chunk costs nothing.
import { NEXT_TURN } from '../base/turn-budget.js';
import { liveDatagramSockets, liveSockets } from '../observe/live.js';
import type { Socket } from '../socket.js';
import { controlOf } from '../socket.js';
import { attributesOf, type Subject } from './attributes.js';
import type { Attributes } from './meter.js';

/** A `DatagramSocket` of `@rxsock/udp`. */
export interface CountedDatagramSocket extends Subject {
  readonly readyState: string;
  readonly writableLength: number;
  readonly report: {
    readonly bytesRead: number;
    readonly bytesWritten: number;
    readonly messagesRead: number;
    readonly messagesWritten: number;
  };
}

/** The sums of some sockets. */
export interface Sums {
  /** Sockets that are open. */
  sockets: number;
  /** Sockets that a consumer holds. */
  held: number;
  bytesRead: number;
  bytesWritten: number;
  messagesRead: number;
  messagesWritten: number;
  readableLength: number;
  writableLength: number;
}

const COUNTERS = ['bytesRead', 'bytesWritten', 'messagesRead', 'messagesWritten'] as const;
type Counts = { readonly [K in (typeof COUNTERS)[number]]?: number };

export class TrafficCount {
  /** What sockets that are closed have carried since the start, by their attributes. */
  readonly #closed = new Map<Attributes, Sums>();
  /** What a socket had carried before the start. */
  readonly #before = new WeakMap<object, Counts>();

  constructor() {
    for (const socket of liveSockets as Set<Socket>) this.#before.set(socket, countsOf(socket));
    for (const socket of liveDatagramSockets as Set<CountedDatagramSocket>)
      this.#before.set(socket, countsOf(socket.report));
  }

  /** A socket has closed with these counts. */
  closed(attributes: Attributes, socket: object, counts: Counts): void {
    addCounts(sumsFor(this.#closed, attributes), counts, this.#before.get(socket));
  }

  /** Adds up everything, by attributes. */
  sums(): Map<Attributes, Sums> {
    const all = new Map<Attributes, Sums>();
    for (const [attributes, sums] of this.#closed) all.set(attributes, { ...sums });
    for (const socket of liveSockets as Set<Socket>) {
      const sums = sumsFor(all, attributesOf(socket, controlOf(socket).role));
      if (socket.openedAt !== undefined) sums.sockets++;
      if (socket.holds.some((reason) => reason !== NEXT_TURN)) sums.held++;
      sums.readableLength += socket.readableLength;
      sums.writableLength += socket.writableLength;
      addCounts(sums, socket, this.#before.get(socket));
    }
    for (const socket of liveDatagramSockets as Set<CountedDatagramSocket>) {
      const sums = sumsFor(all, attributesOf(socket, undefined));
      if (socket.readyState === 'open') sums.sockets++;
      sums.writableLength += socket.writableLength;
      addCounts(sums, socket.report, this.#before.get(socket));
    }
    return all;
  }
}

function countsOf(counts: Counts): Counts {
  return Object.fromEntries(COUNTERS.map((counter) => [counter, counts[counter]]));
}

function addCounts(sums: Sums, counts: Counts, before: Counts | undefined): void {
  for (const counter of COUNTERS) sums[counter] += (counts[counter] ?? 0) - (before?.[counter] ?? 0);
}

function sumsFor(all: Map<Attributes, Sums>, attributes: Attributes): Sums {
  let sums = all.get(attributes);
  if (!sums) {
    sums = {
      sockets: 0,
      held: 0,
      bytesRead: 0,
      bytesWritten: 0,
      messagesRead: 0,
      messagesWritten: 0,
      readableLength: 0,
      writableLength: 0,
    };
    all.set(attributes, sums);
  }
  return sums;
}
