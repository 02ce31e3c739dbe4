// One dial through a proxy:
//
//   connecting ──open──▶ shaking hands ──the proxy has connected──▶ over        reports: dialled
//       └──failed, refused, cancel()──▶ closing ──▶ over                        reports: failed (not after cancel()), closed
import { TruncatedFrameError } from '../base/errors.js';
import type { DialTarget } from '../dial/connector.js';
import { resetStream } from '../engine/stream-resets.js';
import type { Dial, DialHandlers } from '../engine/transport.js';
import { type Reader, reader } from '../reader/reader.js';
import { controlOf, type Socket } from '../socket.js';

/** The longest line of an answer, in bytes. */
const MAX_LINE = 64 * 1024;

/** Asks the proxy to connect. Resolves when the socket carries the bytes of the target. */
export type Handshake = (socket: Socket, bytes: Reader, target: DialTarget) => Promise<void>;

/** A proxy refuses, or does not speak its protocol. */
export class Refusal extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

export class ProxyDial implements Dial {
  #socket: Socket | undefined;
  #over = false;
  readonly #handlers: DialHandlers;

  constructor(
    proxy: { readonly name: string; make(): Socket },
    handshake: Handshake,
    target: DialTarget,
    handlers: DialHandlers,
  ) {
    this.#handlers = handlers;
    // No handler is called before the constructor has returned.
    queueMicrotask(() => {
      this.#run(proxy, handshake, target).catch((error) => this.#fail(error));
    });
  }

  cancel(): void {
    if (!this.#over) this.#end(givenUp());
  }

  async #run(
    proxy: { readonly name: string; make(): Socket },
    handshake: Handshake,
    target: DialTarget,
  ): Promise<void> {
    if (this.#over) return;
    const socket = proxy.make();
    // The user's function may have ended the connection.
    if (this.#over) return socket.error(givenUp());
    this.#socket = socket;
    const bytes = reader(socket, { maxLength: MAX_LINE });
    try {
      await handshake(socket, bytes, target);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (error instanceof TruncatedFrameError) throw endedEarly(proxy.name);
      throw unreachable(proxy.name, error);
    }
    if (this.#over) return;
    bytes.release();
    if (socket.writableLength > 0) {
      throw new Refusal(`${proxy.name} answered before it had the whole request`, 'ERR_PROXY_PROTOCOL');
    }
    const { stream, received } = controlOf(socket).handOver();
    // A subscriber of the socket may have given the connection up.
    if (this.#over) return resetStream(stream);
    this.#over = true;
    this.#handlers.dialled(stream, received);
  }

  #fail(error: NodeJS.ErrnoException): void {
    if (this.#over) return;
    this.#handlers.failed(error);
    this.#end(error);
  }

  #end(reason: Error): void {
    this.#over = true;
    const socket = this.#socket;
    if (!socket) return process.nextTick(() => this.#handlers.closed());
    socket.error(reason);
    controlOf(socket).afterClose(() => process.nextTick(() => this.#handlers.closed()));
  }
}

export function endedEarly(name: string): Refusal {
  return new Refusal(`${name} ended the connection before its answer`, 'ERR_PROXY_REFUSED');
}

/** The connection to the proxy failed, or ended in the middle of the handshake. */
function unreachable(name: string, cause: unknown): NodeJS.ErrnoException {
  const { code = 'EIO', message } = cause as NodeJS.ErrnoException;
  return Object.assign(new Error(`${name} failed: ${message}`, { cause }), { code });
}

function givenUp(): Error {
  return new Error('the connection through it was given up');
}
