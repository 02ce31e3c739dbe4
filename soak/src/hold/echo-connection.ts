// A connection to an echo server that checks every byte.
import { data, type Socket } from '@rxsock/core';
import { ByteCheck, bytesOf } from '../bytes.js';
import type { Findings } from '../findings.js';

export class EchoConnection {
  readonly #socket: Socket;
  readonly #stream: number;
  readonly #findings: Findings;
  readonly #check: ByteCheck;
  #sent = 0;
  #ended = false;
  #onAnswered = () => {};

  constructor(socket: Socket, stream: number, findings: Findings) {
    this.#socket = socket;
    this.#stream = stream;
    this.#findings = findings;
    this.#check = new ByteCheck(stream);
  }

  /** Sends so many bytes, and waits until they have come back, or the connection has ended. Dials the first time. */
  async echo(length: number): Promise<void> {
    const isFirst = this.#sent === 0;
    const answered = new Promise<void>((resolve) => {
      this.#onAnswered = resolve;
    });
    this.#socket.next(bytesOf(this.#stream, this.#sent, length));
    this.#sent += length;
    if (isFirst) this.#subscribe();
    if (this.#ended) this.#onAnswered();
    await answered;
    if (this.#check.wrong) this.#findings.violation('wrong bytes came back');
    this.#findings.count('echoes');
  }

  async close(): Promise<void> {
    this.#ended = true;
    const { how } = await this.#socket.close();
    if (how !== 'fin') this.#findings.violation(`a connection was closed by ${how}`);
  }

  #subscribe(): void {
    const end = () => {
      if (!this.#ended) this.#findings.violation('the server has ended a connection');
      this.#ended = true;
      this.#onAnswered();
    };
    this.#socket.pipe(data()).subscribe({
      next: (chunk) => {
        this.#check.push(chunk);
        if (this.#check.received === this.#sent) this.#onAnswered();
      },
      error: (error) => {
        this.#findings.error(error, 'client');
        end();
      },
      complete: end,
    });
  }
}
