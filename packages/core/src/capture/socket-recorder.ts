// SocketRecorder: what happens to one socket, as packets of its connection.
import type { SocketError } from '../base/errors.js';
import type { CloseReport } from '../base/events.js';
import type { Sender } from '../pcapng/flags.js';
import type { PacketEnds } from './addresses.js';
import type { TcpRecorder } from './tcp-recorder.js';

export class SocketRecorder {
  readonly ends: PacketEnds;
  readonly #packets: TcpRecorder;
  readonly #local: Sender;
  readonly #remote: Sender;

  constructor(packets: TcpRecorder, local: Sender, ends: PacketEnds) {
    this.ends = ends;
    this.#packets = packets;
    this.#local = local;
    this.#remote = local === 'client' ? 'server' : 'client';
  }

  // If the other end is in this process too, it has recorded what it has sent.
  received(bytes: Uint8Array): void {
    if (!this.#packets.hasBothEnds) this.#packets.data(this.#remote, bytes);
  }

  receivedEnd(): void {
    if (!this.#packets.hasBothEnds) this.#packets.end(this.#remote);
  }

  sent(bytes: Uint8Array): void {
    this.#packets.data(this.#local, bytes);
  }

  sentEnd(): void {
    this.#packets.end(this.#local);
  }

  held(holds: readonly string[]): void {
    this.#note(`hold: ${holds.join(', ')}`);
  }

  released(): void {
    this.#note('release');
  }

  failed(error: SocketError): void {
    this.#note(`error: ${error.code}: ${error.message}`);
  }

  closed({ by, how, bytesRead, bytesWritten, bytesUnsent, duration }: CloseReport): void {
    const counts = `${bytesRead} bytes read, ${bytesWritten} written, ${bytesUnsent} unsent`;
    const comment = `close: ${how} by ${by}, ${counts}, ${Math.round(duration)} ms`;
    if (how === 'fin' || how === 'upgraded') this.#note(comment);
    else this.#packets.reset(by === 'local' ? this.#local : this.#remote, comment);
  }

  #note(comment: string): void {
    this.#packets.note(this.#local, comment);
  }
}
