// TcpRecorder: writes a connection as packets of TCP, as a network would have carried it. There is no network: the
// headers are made up, and a packet is as long as a chunk was.
import type { InternetEndpoint } from '../base/endpoint.js';
import { ACK, FIN, PSH, RST, type Sender, SYN } from '../pcapng/flags.js';
import { type Packet, type PacketMemory, PacketWriter } from '../pcapng/packet-writer.js';
import { commentOf, INTRODUCTION_LENGTH } from './comments.js';
import type { Output } from './output.js';

/** Longer chunks are cut: an IP packet has less than 64 KiB. */
const MAX_SEGMENT = 32_768;
const NOTHING = new Uint8Array();

/** What a recorder needs to know about a connection. */
export interface TcpConnection {
  readonly client: InternetEndpoint;
  readonly server: InternetEndpoint;
  /** In words, for a comment. */
  readonly description: string;
  /** How many bytes each side had sent before the capture began. `undefined` if it sees the beginning. */
  readonly sent?: Readonly<Record<Sender, number>> | undefined;
  /** The time in microseconds since the epoch. */
  readonly now: () => number;
}

export class TcpRecorder {
  /** Whether both ends of the connection are in this process and captured. */
  hasBothEnds = false;
  readonly #output: Output;
  readonly #connection: TcpConnection;
  readonly #writers: Readonly<Record<Sender, PacketWriter>>;
  /** The number of the next byte of each side. Only its lower 32 bits are sent. */
  readonly #next: Record<Sender, number>;
  readonly #ended: Record<Sender, boolean> = { client: false, server: false };
  #isReset = false;
  /** The file that has a packet of this connection already. */
  #file = -1;

  constructor(output: Output, connection: TcpConnection) {
    const { client, server, sent } = connection;
    this.#output = output;
    this.#connection = connection;
    this.#writers = {
      client: new PacketWriter('tcp', client, server),
      server: new PacketWriter('tcp', server, client),
    };
    const syn = output.nextSyn();
    this.#next = { client: syn, server: syn };
    if (sent) for (const side of ['client', 'server'] as const) this.#next[side] += 1 + sent[side];
    if (!sent) this.#open();
  }

  #open(): void {
    const { description } = this.#connection;
    this.#send('client', SYN, NOTHING, description);
    this.#send('server', SYN | ACK);
    this.#send('client', ACK);
  }

  /** Records bytes. */
  data(from: Sender, bytes: Uint8Array): void {
    const time = this.#connection.now();
    for (let at = 0; at < bytes.length; at += MAX_SEGMENT) {
      const end = at + MAX_SEGMENT;
      // PSH is at the end of each chunk, and its packets have one time, so that replay() finds the chunk again.
      const flags = end < bytes.length ? ACK : ACK | PSH;
      this.#send(from, flags, bytes.length <= MAX_SEGMENT ? bytes : bytes.subarray(at, end), undefined, time);
    }
  }

  /** Records that a side has sent FIN. */
  end(from: Sender): void {
    if (this.#ended[from]) return;
    this.#ended[from] = true;
    this.#send(from, FIN | ACK);
  }

  /** Records that a side has reset the connection. The other end may tell it too. */
  reset(from: Sender, comment: string): void {
    this.#send(from, this.#isReset ? ACK : RST | ACK, NOTHING, comment);
    this.#isReset = true;
  }

  /** Records an event, at a packet without bytes. */
  note(from: Sender, comment: string): void {
    this.#send(from, ACK, NOTHING, comment);
  }

  #send(
    from: Sender,
    flags: number,
    payload: Uint8Array = NOTHING,
    text?: string,
    time: number = this.#connection.now(),
  ): void {
    const output = this.#output;
    const comment = commentOf(text, output.missed);
    const memory = output.room(this.#writers[from].lengthOf(payload.length, comment) + INTRODUCTION_LENGTH);
    if (memory) {
      if (this.#file !== output.file && flags !== SYN) this.#introduce(memory, time);
      this.#file = output.file;
      this.#write(memory, from, { flags, payload, time, comment });
    } else output.drop(payload.length);
    this.#next[from] += payload.length + (flags & (SYN | FIN) ? 1 : 0);
  }

  /** The first packet that a file has of a connection is the client's. It says what the connection is. */
  #introduce(memory: PacketMemory, time: number): void {
    const { description } = this.#connection;
    this.#write(memory, 'client', {
      flags: ACK,
      payload: NOTHING,
      time,
      comment: commentOf(`${description}, begun earlier`),
    });
  }

  #write(memory: PacketMemory, from: Sender, packet: Omit<Packet, 'sequence' | 'acknowledged'>): void {
    const writer = this.#writers[from];
    const acknowledged = packet.flags & ACK ? this.#next[from === 'client' ? 'server' : 'client'] >>> 0 : 0;
    writer.write(memory, { ...packet, sequence: this.#next[from] >>> 0, acknowledged });
    this.#output.wrote(writer.lengthOf(packet.payload.length, packet.comment), packet.payload.length);
  }
}
