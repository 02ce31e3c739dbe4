// The messages that the client of `reconnect` sends: numbered, and all of the same size.

/** In bytes. */
const MESSAGE_SIZE = 16;

export function encodeMessage(number: number): Buffer {
  return Buffer.from(`${String(number).padStart(MESSAGE_SIZE - 1, '0')}\n`);
}

/** Reads messages from the bytes of one connection. */
export class MessageReader {
  /** The numbers of the first and of the last whole message; `undefined` if none has arrived. */
  first: number | undefined;
  last: number | undefined;
  /** How many bytes have arrived. */
  received = 0;
  #rest = Buffer.alloc(0);
  readonly #onWrong: (what: string) => void;

  constructor(onWrong: (what: string) => void) {
    this.#onWrong = onWrong;
  }

  push(chunk: Buffer): void {
    this.received += chunk.length;
    let bytes = Buffer.concat([this.#rest, chunk]);
    for (; bytes.length >= MESSAGE_SIZE; bytes = bytes.subarray(MESSAGE_SIZE)) {
      const number = Number(bytes.subarray(0, MESSAGE_SIZE));
      if (!encodeMessage(number).equals(bytes.subarray(0, MESSAGE_SIZE))) this.#onWrong('wrong bytes arrived');
      if (this.last !== undefined && number <= this.last) this.#onWrong('a message came twice, or out of order');
      this.first ??= number;
      this.last = number;
    }
    this.#rest = bytes;
  }
}
