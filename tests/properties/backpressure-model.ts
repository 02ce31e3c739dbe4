// The two ends of a wire under pressure: feeders that offer bytes without end, and consumers that take values when the
// test says so.
import { setImmediate as turn } from 'node:timers/promises';
import {
  connect,
  connections,
  data,
  lines,
  listen,
  mapWithBackpressure,
  on,
  relay,
  type Server,
  type Socket,
  type SocketOptions,
  serve,
  toAsyncIterable,
} from '@rxsock/core';
import { defer, firstValueFrom, map, mergeMap, Observable, type OperatorFunction, retry, scan, tap } from 'rxjs';

/** More than the kernel buffers at both ends of a connection, so that the feeder notices a hold. */
const ENDLESS = 128 * 1024 * 1024;
/** The most bytes that one read may bring. */
const READ = 65_536;
/** How many lines a feeder writes at least, even if it is stopped. */
export const LEAST = 200;

const nameOf = (feed: number, attempt: number, number: number) => `${feed}/${attempt}/${number}`;

/** One accepted connection that offers numbered lines for as long as it may write. */
class Feeder {
  readonly socket: Socket;
  readonly attempt: number;
  readonly #feed: Feed;
  lines = 0;
  offered = 0;
  #refused = false;
  /** Whether the peer has left. Our side then ends too. */
  #left = false;

  constructor(socket: Socket, feed: Feed, attempt: number) {
    this.socket = socket;
    this.#feed = feed;
    this.attempt = attempt;
    const leave = () => {
      this.#left = true;
    };
    socket.pipe(on('end')).subscribe({ next: leave, error: leave });
    socket.pipe(on('drain')).subscribe(() => this.write());
    this.write();
  }

  write(): void {
    const feed = this.#feed;
    if (this.#left) return;
    this.#refused = false;
    while (!this.#refused && this.offered < ENDLESS && (!feed.stopped || this.lines < LEAST)) {
      const line = `${nameOf(feed.id, this.attempt, this.lines)} `.padEnd(feed.lineLength - 1, '.');
      this.lines++;
      this.offered += line.length + 1;
      this.#refused = !this.socket.next(`${line}\n`);
    }
    if (!this.#refused) this.socket.complete();
  }

  /** Whether `next()` has returned false and the bytes still wait. */
  get clogged(): boolean {
    return this.#refused && this.socket.writableLength > 0;
  }
}

export interface FeedOptions {
  readonly lineLength: number;
  /** Options of the reading side. */
  readonly socket: SocketOptions;
  readonly framing: 'ours' | 'foreign';
  /** How often the pipeline throws and is subscribed again. */
  readonly failures: number;
  /** After how many lines it throws. */
  readonly failAt: number;
  /** Whether a port forwarder is between the two sides. */
  readonly forwarded: boolean;
  readonly operators: readonly OperatorFunction<string, string>[];
}

/** A server that feeds, and the pipeline of a client that consumes. */
export class Feed {
  readonly feeders: Feeder[] = [];
  readonly readers: { readonly socket: Socket; delivered: number }[] = [];
  /** Sockets of the forwarder. */
  readonly between: Socket[] = [];
  /** Lines that the pipeline has emitted. */
  left = 0;
  stopped = false;
  readonly id: number;
  readonly options: FeedOptions;
  readonly #servers: Server[] = [];
  #port = 0;

  constructor(id: number, options: FeedOptions) {
    this.id = id;
    this.options = options;
  }

  get lineLength(): number {
    return this.options.lineLength;
  }

  async start(): Promise<this> {
    const server = listen({ host: '127.0.0.1' });
    server.pipe(connections()).subscribe((socket) => {
      this.feeders.push(new Feeder(socket, this, this.feeders.length));
    });
    this.#port = await this.#listening(server);
    if (this.options.forwarded) {
      const target = this.#port;
      const forwarder = listen({ host: '127.0.0.1', ...this.options.socket });
      const forward = (client: Socket) => {
        const onward = connect({ host: '127.0.0.1', port: target, ...this.options.socket });
        this.between.push(client, onward);
        return relay(client, onward);
      };
      forwarder.pipe(serve(forward)).subscribe();
      this.#port = await this.#listening(forwarder);
    }
    return this;
  }

  async #listening(server: Server): Promise<number> {
    this.#servers.push(server);
    const { address } = await firstValueFrom(server.pipe(on('listening')));
    return (address as { readonly port: number }).port;
  }

  /** Emits lines, over as many connections as it takes. */
  readonly lines = defer((): Observable<string> => {
    const attempt = this.readers.length;
    const socket = connect({ host: '127.0.0.1', port: this.#port, ...this.options.socket });
    const reader = { socket, delivered: 0 };
    this.readers.push(reader);
    const fails = attempt < this.options.failures;
    const bytes = socket.pipe(
      data(),
      tap((chunk) => {
        reader.delivered += chunk.length;
      }),
    );
    const framed = this.options.framing === 'ours' ? bytes.pipe(lines()) : bytes.pipe(foreignLines());
    const passed = this.options.operators.reduce((source, operator) => source.pipe(operator), framed);
    return passed.pipe(
      map((line, index) => {
        if (fails && index === this.options.failAt) throw new Error('to be tried again');
        return line;
      }),
    );
  }).pipe(
    retry({ count: 100 }),
    tap(() => this.left++),
  );

  /** Stops offering. */
  stop(): void {
    this.stopped = true;
  }

  /** The names of all the lines that must arrive. */
  get expected(): string[] {
    const { failures, failAt } = this.options;
    return this.feeders.flatMap(({ attempt, lines }) =>
      Array.from({ length: attempt < failures ? failAt : lines }, (_, number) => nameOf(this.id, attempt, number)),
    );
  }

  /** By how many bytes the reads exceed their limit, and by how many the forwarder's queue exceeds its own. */
  get excess(): number {
    const { highWaterMark = READ } = this.options.socket;
    // Sockets without subscribers read on to the end and drop it.
    const reading = this.readers.filter(({ socket }) => !['closing', 'closed'].includes(socket.readyState));
    const ahead = reading.map(({ socket, delivered }) => socket.bytesRead - delivered);
    const forwarding = this.between.map((socket) => socket.writableLength);
    return Math.max(0, ...ahead, ...forwarding) - (Math.max(highWaterMark, 1) + READ);
  }

  /** How many lines a chunk may bring after a hold. */
  get burst(): number {
    return this.options.framing === 'ours' ? 1 : Math.ceil(READ / this.lineLength) + 1;
  }

  async close(): Promise<void> {
    for (const { socket } of [...this.readers, ...this.feeders]) socket.error();
    for (const socket of this.between) socket.error();
    await Promise.all(this.#servers.map((server) => server.close({ drain: 0 })));
  }
}

/** A framer written with stock operators, as users do: it does not stop inside a chunk. */
function foreignLines(): OperatorFunction<Buffer, string> {
  return (source) =>
    source.pipe(
      scan(
        ({ rest }, chunk) => {
          const parts = (rest + chunk.toString('latin1')).split('\n');
          return { rest: parts.pop() as string, parts };
        },
        { rest: '', parts: [] as string[] },
      ),
      mergeMap(({ parts }) => parts),
    );
}

/** Waits until nothing moves any more because of a hold: every feeder is stopped and stays so. */
export async function standstill(feeds: readonly Feed[]): Promise<void> {
  let seen = '';
  for (let quiet = 0; quiet < 10; quiet++) {
    await turn();
    const feeders = feeds.flatMap((feed) => feed.feeders);
    if (feeders.some(({ offered }) => offered >= ENDLESS)) throw new Error('everything was read, and no consumer held');
    for (const feed of feeds) if (feed.excess > 0) throw new Error(`${feed.excess} bytes too many were read ahead`);
    const live = feeders.filter(({ socket }) => socket.readyState !== 'closed');
    const now = [...feeds.map(({ left }) => left), ...feeders.map(({ socket }) => socket.bytesWritten)].join();
    if (now !== seen || live.length === 0 || live.some(({ clogged }) => !clogged)) quiet = 0;
    seen = now;
  }
}

/** A consumer that takes as many values as it is told to, and then none. */
export interface Taker {
  readonly taken: string[];
  readonly ended: boolean;
  /** How many values it may queue. */
  readonly limit: number;
  take(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Takes values by pulling. */
export function puller(source: Observable<string>, highWaterMark: number): Taker {
  const iterator = toAsyncIterable(source, { highWaterMark })[Symbol.asyncIterator]();
  const taken: string[] = [];
  let ended = false;
  return {
    taken,
    limit: highWaterMark,
    get ended() {
      return ended;
    },
    async take(count) {
      for (let i = 0; i < count && !ended; i++) {
        const { done = false, value } = await iterator.next();
        if (done) ended = true;
        else taken.push(value);
      }
    },
    async stop() {
      await iterator.return?.();
    },
  };
}

/** Takes values by ending projections, one by one, in the order in which they started. */
export function mapper(source: Observable<string>, options: { concurrency: number; highWaterMark: number }): Taker {
  const taken: string[] = [];
  const running: (() => void)[] = [];
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let wake = () => {};
  const project = (line: string) =>
    new Observable<string>((subscriber) => {
      running.push(() => {
        subscriber.next(line);
        subscriber.complete();
      });
      wake();
    });
  const subscription = source.pipe(mapWithBackpressure(project, options)).subscribe({
    next: (line) => taken.push(line),
    error: (error) => {
      failure = { error };
      wake();
    },
    complete: () => {
      ended = true;
      wake();
    },
  });
  return {
    taken,
    limit: options.highWaterMark + options.concurrency,
    get ended() {
      return ended;
    },
    async take(count) {
      for (let i = 0; i < count; i++) {
        while (running.length === 0 && !ended && !failure) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        if (failure) throw failure.error;
        if (ended) return;
        running.shift()?.();
      }
    },
    async stop() {
      subscription.unsubscribe();
    },
  };
}
