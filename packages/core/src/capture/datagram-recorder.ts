// DatagramRecorder: the datagrams of one socket, as packets of UDP.
import type { Endpoint, InternetEndpoint } from '../base/endpoint.js';
import type { DatagramDestination } from '../observe/byte-tap.js';
import { PacketWriter } from '../pcapng/packet-writer.js';
import { datagramPeer, packetEnds } from './addresses.js';
import { commentOf } from './comments.js';
import type { Output } from './output.js';

/** How many peers are remembered. A flood has many. */
const MAX_PEERS = 256;

export class DatagramRecorder {
  readonly #output: Output;
  readonly #now: () => number;
  /** By peer, what writes the packets to it and from it. */
  #writers = new Map<string, { readonly sent: PacketWriter; readonly received: PacketWriter }>();
  /** What has happened since the last packet. */
  #notes: string[] = [];

  constructor(output: Output, now: () => number) {
    this.#output = output;
    this.#now = now;
  }

  received(local: Endpoint | undefined, bytes: Uint8Array, remote: DatagramDestination): void {
    this.#write(this.#writersFor(local, remote).received, bytes);
  }

  sent(local: Endpoint | undefined, bytes: Uint8Array, remote: DatagramDestination): void {
    this.#write(this.#writersFor(local, remote).sent, bytes);
  }

  /** A comment for the next packet: an event has none of its own. */
  note(text: string): void {
    if (this.#notes.length < 10) this.#notes.push(text);
  }

  #writersFor(local: Endpoint | undefined, remote: DatagramDestination) {
    const key = `${remote.address} ${remote.port}`;
    const known = this.#writers.get(key);
    if (known) return known;
    if (this.#writers.size >= MAX_PEERS) this.#writers = new Map();
    const peer = datagramPeer(remote);
    const own = (local as InternetEndpoint | undefined) ?? packetEnds(undefined, undefined, 0).client;
    const writers = { sent: new PacketWriter('udp', own, peer), received: new PacketWriter('udp', peer, own) };
    this.#writers.set(key, writers);
    return writers;
  }

  #write(writer: PacketWriter, payload: Uint8Array): void {
    const output = this.#output;
    const comment = commentOf(this.#notes.length > 0 ? this.#notes.join('\n') : undefined, output.missed);
    const length = writer.lengthOf(payload.length, comment);
    const memory = output.room(length);
    if (!memory) return output.drop(payload.length);
    this.#notes = [];
    writer.write(memory, { time: this.#now(), payload, comment, flags: 0, sequence: 0, acknowledged: 0 });
    output.wrote(length, payload.length);
  }
}
