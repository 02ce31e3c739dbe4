// SocketRecorder: what happens to one socket, as packets of its connection.
import type { SocketError } from '../base/errors.js';
import type { CloseReport } from '../base/events.js';
import type { Sender } from '../pcapng/flags.js';
import type { TcpRecorder } from './tcp-recorder.js';

export class SocketRecorder {
  readonly #packets: TcpRecorder;
  readonly #local: Sender;
  readonly #remote: Sender;
  /** Whether the other end, in this process too, records the bytes. Then only the events of this end are recorded. */
  readonly #isSecond: boolean;

  constructor(packets: TcpRecorder, local: Sender, isSecond: boolean) {
    this.#packets = packets;
    this.#local = local;
    this.#remote = local === 'client' ? 'server' : 'client';
    this.#isSecond = isSecond;
  }

  received(bytes: Uint8Array): void {
    if (!this.#isSecond) this.#packets.data(this.#remote, bytes);
  }

  receivedEnd(): void {
    if (!this.#isSecond) this.#packets.end(this.#remote);
  }

  sent(bytes: Uint8Array): void {
    if (!this.#isSecond) this.#packets.data(this.#local, bytes);
  }

  sentEnd(): void {
    if (!this.#isSecond) this.#packets.end(this.#local);
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
    if (this.#isSecond || how === 'fin' || how === 'upgraded') this.#note(comment);
    else this.#packets.reset(by === 'local' ? this.#local : this.#remote, comment);
  }

  #note(comment: string): void {
    this.#packets.note(this.#local, comment);
  }
}
