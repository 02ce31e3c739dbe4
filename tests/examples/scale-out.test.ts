// scale-out: one chat in several processes, over real servers of Redis and NATS.
import net from 'node:net';
import { describe, expect, test } from 'vitest';
import { type BusKind, RealBus } from '../support/buses.js';
import { closedPort } from '../support/raw-peers.js';
import { Client, type Example, example } from './support.js';

const chat = (bus: RealBus, ...args: readonly (string | number)[]): Example =>
  example('scale-out', '--bus', bus.url, ...args);

/** For tests that start many processes, in milliseconds. */
const LONG = 60_000;

/** Connects, and waits until the chat knows the name. */
async function enter(port: number, name: string): Promise<Client> {
  const client = new Client(port);
  client.socket.setNoDelay();
  client.socket.write(`${name}\n`);
  await client.heard(`* ${name} is here\n`);
  return client;
}

/** The process that serves a client. */
const processOf = (client: Client): number => Number(/^Process (\d+): /.exec(client.text)?.[1]);

/** What others said, in order. */
const said = (client: Client): string[] => client.text.split('\n').filter((line) => /^\w+: /.test(line));

test(
  'forwards each line once to the clients of all processes of a cluster',
  async () => {
    await using bus = await RealBus.start('redis');
    await using server = chat(bus, '--processes', 2);
    const port = await server.port();
    using ann = await enter(port, 'ann');
    using bob = await enter(port, 'bob');
    using cat = await enter(port, 'cat');
    const everybody = [ann, bob, cat];
    expect(new Set(everybody.map(processOf)).size).toBe(2);

    ann.socket.write('hello\n');
    await bob.heard('ann: hello\n');
    bob.socket.write('hi\r\nall\n');
    await cat.heard('bob: all\n');
    cat.socket.end('bye');
    for (const { ended } of [cat]) expect(await ended).toBe('fin');
    for (const other of [ann, bob]) await other.heard('* cat has left\n');

    const talk = ['ann: hello', 'bob: hi', 'bob: all', 'cat: bye'];
    for (const client of everybody) expect(said(client)).toEqual(talk);
    expect(await server.interrupt()).toBe(0);
    expect(server.stderr).toBe('');
  },
  LONG,
);

describe.each<BusKind>(['redis', 'nats'])('over %s', (kind) => {
  test('two machines share a chat, say so when the bus goes away, and go on when it is back', async () => {
    await using bus = await RealBus.start(kind);
    await using first = chat(bus);
    await using second = chat(bus);
    using ann = await enter(await first.port(), 'ann');
    using bob = await enter(await second.port(), 'bob');
    await ann.heard('* bob is here\n');
    ann.socket.write('one\n');
    await bob.heard('ann: one\n');

    await bus.kill();
    for (const client of [ann, bob]) await client.heard('* the bus is down: nobody hears you\n');
    ann.socket.write('two\n');
    await ann.heard('* not sent: two\n');
    await bus.startAgain();
    for (const client of [ann, bob])
      await client.heard('* the bus is back: you have missed what others said meanwhile\n');
    bob.socket.write('three\n');
    for (const client of [ann, bob]) await client.heard('bob: three\n');

    expect([said(ann), said(bob)]).toEqual([
      ['ann: one', 'bob: three'],
      ['ann: one', 'bob: three'],
    ]);
    for (const machine of [first, second]) {
      expect(await machine.interrupt()).toBe(0);
      expect(machine.stderr).toBe('');
    }
  });

  test('a client hears all of its lines before the FIN of the server', async () => {
    await using bus = await RealBus.start(kind);
    await using server = chat(bus);
    using ann = await enter(await server.port(), 'ann');
    const lines = Array.from({ length: 1_000 }, (_, i) => `line ${i}`);

    ann.socket.end(lines.join('\n'));

    expect(await ann.ended).toBe('fin');
    expect(said(ann)).toEqual(lines.map((line) => `ann: ${line}`));
  });

  test('ends with one line if nobody answers at the address of the bus', async () => {
    const port = await closedPort();
    await using server = example('scale-out', '--bus', `${kind}://127.0.0.1:${port}`);

    expect(await server.exited).toBe(1);
    expect(server.stderr).toMatch(/^Cannot join the bus on 127\.0\.0\.1:\d+: .*refused.*\n$/i);
    expect(server.stdout).toBe('');
  });
});

test.each([
  [['--processes', 2], /--bus/],
  [['--processes', 0], /from 1 to 1000/],
  [['--bus', 'amqp://127.0.0.1'], /redis:\/\/.*nats:\/\//],
])('refuses %j in one line', async (args, message) => {
  await using server = example('scale-out', ...args);

  expect(await server.exited).toBe(2);
  expect(server.stderr).toMatch(message);
  expect(server.stderr.trimEnd()).not.toContain('\n');
});

test('a burst on the bus reaches all of many clients that read', async () => {
  await using bus = await RealBus.start('redis');
  await using server = chat(bus);
  const port = await server.port();
  const crowd = await Promise.all(Array.from({ length: 50 }, (_, index) => enter(port, `client${index}`)));
  const lines = Array.from({ length: 1_000 }, (_, i) => `bot: line ${i}`);

  const publisher = net.connect(bus.port, '127.0.0.1');
  publisher.write(lines.map((line) => `PUBLISH rxsock-chat "${line}"\r\n`).join(''));
  for (const client of crowd) await client.heard('bot: line 999\n');

  for (const client of crowd) expect(said(client)).toEqual(lines);
  for (const client of [publisher, ...crowd.map(({ socket }) => socket)]) client.destroy();
});

test('does not let a client that has stopped reading slow the bus or the others', async () => {
  await using bus = await RealBus.start('redis');
  await using server = chat(bus);
  const port = await server.port();
  using ann = await enter(port, 'ann');
  using slow = await enter(port, 'slow');
  using bob = await enter(port, 'bob');
  slow.socket.pause();

  // More than the kernel buffers for a client that does not read, in bursts that bob keeps up with.
  const rounds = 500;
  const burst = 30;
  for (let round = 1; round <= rounds; round++) {
    for (let n = 1; n <= burst; n++) ann.socket.write(`${round}.${n} ${'.'.repeat(1_000)}\n`);
    await bob.heard(`ann: ${round}.${burst} `);
    expect(said(bob)).toHaveLength(burst);
    bob.clear();
  }
  slow.socket.resume();
  // Heard again as soon as the client has read what waits for it.
  const hearsAgain = () => {
    ann.socket.write('the end\n');
    return slow.text.includes('ann: the end\n');
  };
  await expect.poll(hearsAgain).toBe(true);

  expect(said(slow).length).toBeGreaterThan(100);
  expect(said(slow).length).toBeLessThan(rounds * burst);
});

/** A client that connects again when its process is about to end, and hears every line on at least one connection. */
class Moving implements Disposable {
  readonly #port: number;
  readonly #name: string;
  readonly #clients: Client[] = [];
  #stopped = false;

  private constructor(port: number, name: string) {
    this.#port = port;
    this.#name = name;
  }

  static async enter(port: number, name: string): Promise<Moving> {
    const moving = new Moving(port, name);
    await moving.#connect();
    return moving;
  }

  /** How many connections it has had. */
  get moves(): number {
    return this.#clients.length;
  }

  get said(): Set<string> {
    return new Set(this.#clients.flatMap(said));
  }

  async #connect(): Promise<void> {
    const client = await enter(this.#port, this.#name);
    this.#clients.push(client);
    const move = async () => {
      await client.heard(`* this process is about to end`);
      if (this.#stopped) return;
      await this.#connect();
      client.socket.end();
    };
    void move();
  }

  [Symbol.dispose](): void {
    this.#stopped = true;
    for (const client of this.#clients) client[Symbol.dispose]();
  }
}

/** Connects, says one line, half-closes, and returns everything until the end of the connection. */
async function sayOnce(port: number, line: string): Promise<string> {
  using client = new Client(port);
  client.socket.end(`guest\n${line}\n`);
  const end = await client.ended;
  return `${client.text}${end}`;
}

test(
  'replaces all processes while clients connect, and refuses no connection and loses no line',
  async () => {
    await using bus = await RealBus.start('redis');
    await using server = chat(bus, '--processes', 2, '--drain', 20_000);
    const port = await server.port();
    using ann = await Moving.enter(port, 'ann');
    using bob = await Moving.enter(port, 'bob');
    const failed: string[] = [];
    const acknowledged: string[] = [];
    let count = 0;
    let stop = false;
    const hammer = async () => {
      while (!stop) {
        const line = `line ${++count}`;
        const heard = await sayOnce(port, line);
        if (heard.includes(`\nguest: ${line}\n`) && heard.endsWith('\nfin')) acknowledged.push(`guest: ${line}`);
        else failed.push(heard);
      }
    };
    const hammers = Array.from({ length: 8 }, hammer);
    await expect.poll(() => acknowledged.length).toBeGreaterThan(20);

    server.kill('SIGHUP');
    await server.printed(/(^Process \d+ has taken over from \d+\n){2}/m);
    const before = acknowledged.length;
    await expect.poll(() => acknowledged.length).toBeGreaterThan(before + 20);
    stop = true;
    await Promise.all(hammers);
    // All lines before this one have arrived, because a bus keeps their order.
    await sayOnce(port, 'the end');
    await expect.poll(() => [ann, bob].every(({ said }) => said.has('guest: the end'))).toBe(true);

    expect(failed).toEqual([]);
    for (const { said, moves } of [ann, bob]) {
      expect(moves).toBeGreaterThan(1);
      expect(acknowledged.filter((line) => !said.has(line))).toEqual([]);
    }
    expect(server.stderr).toBe('');
  },
  LONG,
);

test(
  'starts a process again after a crash, while the other one goes on',
  async () => {
    await using bus = await RealBus.start('redis');
    await using server = chat(bus, '--processes', 2);
    const port = await server.port();
    using ann = await enter(port, 'ann');
    using bob = await enter(port, 'bob');

    process.kill(processOf(ann), 'SIGKILL');
    await server.printed(/^Process \d+ has crashed\n$/, 'stderr');
    await ann.ended;
    const enterAgain = async () => {
      using again = await enter(port, 'ann');
      return processOf(again);
    };
    await expect.poll(enterAgain).not.toBe(processOf(bob));

    await bob.heard('* ann has left\n');
  },
  LONG,
);
