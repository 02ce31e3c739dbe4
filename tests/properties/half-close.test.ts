// Half-close, for any order of writes, completions, holds and late readers on both sides: everything written before
// complete() arrives in order, then one end. The other direction continues, and at last both sides close.
import {
  connect,
  connections,
  listen,
  on,
  type Release,
  relay,
  type Socket,
  type SocketEvent,
  serve,
} from '@rxsock/core';
import fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { expect, test } from 'vitest';
import { checkProperty } from '../support/property.js';

type Act =
  | { readonly act: 'write'; readonly size: number }
  | { readonly act: 'complete' }
  | { readonly act: 'hold' }
  | { readonly act: 'release' }
  | { readonly act: 'read' }
  | { readonly act: 'watch' }
  | { readonly act: 'turn'; readonly milliseconds: number };

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constant('write' as const), size: fc.oneof(fc.nat(20), fc.nat(200_000)) }),
  },
  { weight: 3, arbitrary: fc.record({ act: fc.constantFrom('hold', 'release', 'read', 'watch' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('complete' as const) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('turn' as const), milliseconds: fc.constantFrom(0, 0, 1, 3) }) },
) as fc.Arbitrary<Act>;

/** One end of the connection, with everything that was done to it and everything it emitted. */
class Side {
  readonly sent: Buffer[] = [];
  readonly heard: SocketEvent[][] = [];
  readonly ends: Promise<unknown>[] = [];
  completed = false;
  readonly #socket: Socket;
  readonly #releases: Release[] = [];
  readonly #writes: Promise<void>[] = [];

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  async do(step: Act, peer: Side): Promise<void> {
    if (step.act === 'write') this.#write(step.size, peer);
    else if (step.act === 'complete') this.complete();
    else if (step.act === 'hold') this.#releases.push(this.#socket.hold('test'));
    else if (step.act === 'release') this.#releases.shift()?.();
    else if (step.act === 'read') this.#subscribe();
    else if (step.act === 'watch') this.#socket.pipe(on('end')).subscribe({ error: () => {} });
    else await new Promise((resolve) => setTimeout(resolve, step.milliseconds));
  }

  /** Releases every hold. */
  finish(): void {
    if (this.heard.length === 0) this.#subscribe();
    for (const release of this.#releases) release();
    this.complete();
  }

  complete(): void {
    this.completed = true;
    this.#socket.complete();
  }

  async settled(): Promise<void> {
    expect(await Promise.all(this.ends)).toEqual(this.ends.map(() => 'complete'));
    await Promise.all(this.#writes);
    await expect.poll(() => this.#socket.readyState).toBe('closed');
  }

  #write(size: number, peer: Side): void {
    const bytes = Buffer.alloc(size);
    for (let at = 0; at < size; at++) bytes[at] = (size + at) % 251;
    // Without allowHalfOpen our side completes too, some time after the other side has.
    const mayRefuse = this.completed || (!this.#socket.allowHalfOpen && peer.completed);
    const index = this.sent.push(bytes) - 1;
    this.#writes.push(
      this.#socket.write(bytes).catch((error) => {
        this.sent[index] = Buffer.alloc(0);
        expect(error).toMatchObject({ code: 'ERR_STREAM_WRITE_AFTER_END' });
        expect(mayRefuse).toBe(true);
      }),
    );
  }

  #subscribe(): void {
    const events: SocketEvent[] = [];
    this.heard.push(events);
    this.ends.push(
      new Promise((resolve) => {
        this.#socket.subscribe({
          next: (event) => events.push(event),
          error: resolve,
          complete: () => resolve('complete'),
        });
      }),
    );
  }
}

async function between(
  options: object,
  viaRelay: boolean,
): Promise<{ sides: [Socket, Socket]; close(): Promise<void> }> {
  const limits = { ...options, host: '127.0.0.1', keepOpen: true };
  const server = listen({ ...limits, claimTimeout: 0 });
  const far = firstValueFrom(server.pipe(connections()));
  const serving = server.subscribe();
  const { address } = await firstValueFrom(server.pipe(on('listening')));
  const middle = listen();
  const relaying = middle
    .pipe(serve((socket) => relay(socket, connect({ host: '127.0.0.1', port: address.port }))))
    .subscribe();
  const entry = viaRelay ? (await firstValueFrom(middle.pipe(on('listening')))).address : address;
  const near = connect({ ...limits, port: entry.port });
  await firstValueFrom(near.pipe(on('connect')));
  const close = async () => {
    await Promise.all([server.close({ drain: 5000 }), middle.close({ drain: 5000 })]);
    expect([...server.sockets, ...middle.sockets]).toEqual([]);
    serving.unsubscribe();
    relaying.unsubscribe();
  };
  return { sides: [near, await far], close };
}

/** Compares what one reader received with what the other side sent. */
function check(events: readonly SocketEvent[], sent: Buffer | undefined): void {
  const types = events.map(({ type }) => type);
  const last = (type: SocketEvent['type']) => types.lastIndexOf(type);
  for (const once of ['connect', 'end', 'finish', 'close'] as const) {
    expect(
      types.filter((type) => type === once),
      once,
    ).toHaveLength(1);
  }
  expect(types.at(-1)).toBe('close');
  const data = events.flatMap((event) => (event.type === 'data' ? [event.data] : []));
  if (!sent) return;
  expect(last('data')).toBeLessThan(last('end'));
  expect(Buffer.concat(data).equals(sent)).toBe(true);
}

const resources = () =>
  process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCP|Connect|Shutdown|Write)/.test(name))
    .sort();

test.each([
  ['straight', false],
  ['through a relay', true],
])(
  'everything written arrives, then one end, whatever the other direction does: %s',
  async (_name, viaRelay) => {
    const before = resources();
    await checkProperty(
      fc.asyncProperty(
        fc.record({ allowHalfOpen: fc.boolean(), highWaterMark: fc.constantFrom(1, 1000, 65_536) }),
        fc.array(fc.tuple(fc.nat(1), step), { maxLength: 25 }),
        async (options, acts) => {
          const { sides, close } = await between(options, viaRelay);
          const [near, far] = [new Side(sides[0]), new Side(sides[1])];
          for (const [side, step] of acts) await (side === 0 ? near.do(step, far) : far.do(step, near));
          near.finish();
          far.finish();
          await Promise.all([near.settled(), far.settled()]);
          for (const [side, other] of [
            [near, far],
            [far, near],
          ] as const) {
            // All readers get the same; the first reader is there for every byte.
            for (const events of side.heard)
              check(events, events === side.heard[0] ? Buffer.concat(other.sent) : undefined);
          }
          await close();
        },
      ),
    );
    await expect.poll(resources).toEqual(before);
  },
  120_000,
);
