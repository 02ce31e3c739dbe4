// Waits for the PROXY header of an accepted stream, before anything else reads from it.
//
//   waiting ──whole header──▶ found ──end of the turn──▶ over: `arrived`, with the bytes behind the header
//      └──not a header, FIN, failure, timeout──▶ over: `refused`
//
// Nobody owns the stream meanwhile: a server that aborts its connections resets it.
import type { Duplex } from 'node:stream';
import type { SchedulerLike } from 'rxjs';
import { Deadline } from '../base/deadline.js';
import { NodeStream, type NodeStreamHandlers } from '../engine/node-stream.js';
import type { Transport } from '../engine/transport.js';
import { parseProxyHeader } from '../proxy-protocol/parse.js';
import type { ProxyHeader } from '../proxy-protocol/proxied.js';

/** What it reports: one of the two. */
export interface HeaderHandlers {
  /** @param rest What the client has sent behind the header. */
  arrived(header: ProxyHeader, rest: Buffer): void;
  /** @param reason Continues a sentence about the peer. `undefined` if the time has passed. */
  refused(reason: Error | undefined): void;
}

export class HeaderWait implements NodeStreamHandlers {
  readonly #stream: NodeStream;
  readonly #handlers: HeaderHandlers;
  readonly #deadline: Deadline;
  #chunks: Buffer[] = [];
  #length = 0;
  /** How many bytes are needed for another look. */
  #atLeast = 1;
  #over = false;
  /** Whether the header is whole. The stream is handed over by the end of this turn. */
  #found = false;

  constructor(stream: Duplex, timeout: number, scheduler: SchedulerLike, handlers: HeaderHandlers) {
    const transport: Transport = { type: 'tcp', target: '', readyEvent: undefined, open: () => stream };
    this.#handlers = handlers;
    this.#deadline = new Deadline(scheduler, timeout, () => this.#refuse(undefined));
    this.#stream = new NodeStream(stream, transport, this);
    this.#stream.start();
    this.#deadline.start();
    this.#stream.read();
  }

  received(chunk: Buffer): boolean {
    if (this.#over || this.#found) return false;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length >= this.#atLeast) this.#look();
    return !this.#over && !this.#found;
  }

  #look(): void {
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    try {
      const parsed = parseProxyHeader(bytes);
      if ('atLeast' in parsed) {
        this.#atLeast = parsed.atLeast;
        return;
      }
      this.#found = true;
      // Not yet: Node is about to pause the stream, and the next owner would not know.
      queueMicrotask(() => this.#finish(parsed.header, bytes.subarray(parsed.length)));
    } catch (error) {
      this.#refuse(error as Error);
    }
  }

  #finish(header: ProxyHeader, rest: Buffer): void {
    if (this.#over) return;
    if (!this.#stream.detach()) return this.#refuse(new Error('the connection was closed behind its PROXY header'));
    this.#end();
    this.#handlers.arrived(header, rest);
  }

  #refuse(reason: Error | undefined): void {
    if (this.#over) return;
    this.#end();
    this.#handlers.refused(reason);
    this.#stream.reset();
  }

  #end(): void {
    this.#over = true;
    this.#deadline.stop();
  }

  ended(): void {
    this.#refuse(new Error('it ended the connection before its PROXY header was whole'));
  }

  failed(error: Error): void {
    this.#refuse(new Error(`it failed before its PROXY header was whole: ${error.message}`, { cause: error }));
  }

  closed(): void {
    this.#refuse(new Error('the connection was closed before its PROXY header was whole'));
  }

  opened(): void {}
  // Nothing is dialled, and nothing written.
  dialProgressed(): void {}
  connected(): void {}
  writes(): void {}
  wrote(): void {}
  finished(): void {}
  writeFailed(): void {}
}
