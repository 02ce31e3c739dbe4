// The chat server: its messages, people who use nc, Ctrl-C, and slow clients.
import { expect, test } from 'vitest';
import { Program } from '../support/program.js';
import { Client, example } from './support.js';

async function enter(port: number, name: string): Promise<Client> {
  const client = new Client(port);
  await client.heard('What is your name?\n');
  client.socket.write(`${name}\n`);
  return client;
}

test('forwards what each client says to all other clients with a name', async () => {
  await using server = example('chat-server');
  const port = await server.port();
  using ann = await enter(port, 'ann');
  using silent = new Client(port);
  await silent.heard('name?\n');
  using bob = await enter(port, 'bob');
  await ann.heard('* bob is here\n');
  bob.socket.write('hi\r\nall\n');
  await ann.heard('bob: all\n');
  ann.socket.write('hello bob\n');
  await bob.heard('ann: hello bob\n');
  bob.socket.end('bye');

  expect(await bob.ended).toBe('fin');
  await ann.heard('has left\n');
  expect(ann.text).toBe('What is your name?\n* bob is here\nbob: hi\nbob: all\nbob: bye\n* bob has left\n');
  expect(bob.text).toBe('What is your name?\nann: hello bob\n');
  expect(silent.text).toBe('What is your name?\n');
});

test.each(['chat-server', 'scale-out'])('%s forwards nothing that a terminal would execute', async (name) => {
  await using server = example(name);
  const port = await server.port();
  using ann = new Client(port);
  ann.socket.write('ann\n');
  using eve = new Client(port);
  await Promise.all([ann, eve].map((client) => client.heard('your name?\n')));
  eve.socket.write('eve\u001B[2J\nboo\u0007\n');

  await ann.heard('eve\uFFFD[2J: boo\uFFFD\n');
});

test('lets people chat with nc', async () => {
  await using server = example('chat-server');
  const nc = ['-N', '127.0.0.1', String(await server.port())];
  await using ann = new Program('nc', nc);
  ann.stdin.write('ann\n');
  await ann.printed(/^What is your name\?\n$/);
  await using bob = new Program('nc', nc);
  bob.stdin.write('bob\n');
  await ann.printed(/\n\* bob is here\n$/);
  ann.stdin.write('hello bob\n');
  await bob.printed(/\nann: hello bob\n$/);
  bob.stdin.end();

  expect(await bob.exited).toBe(0);
  await ann.printed(/\n\* bob has left\n$/);
});

test('ends all connections at Ctrl-C', async () => {
  await using server = example('chat-server', '--drain', 20_000);
  using ann = await enter(await server.port(), 'ann');
  ann.socket.on('end', () => ann.socket.end());
  ann.socket.write('anybody?\n');

  expect(await server.interrupt()).toBe(0);
  expect(await ann.ended).toBe('fin');
  expect(server.stderr).toBe('');
});

test('does not let a client that has stopped reading stall the others', async () => {
  await using server = example('chat-server');
  const port = await server.port();
  using ann = await enter(port, 'ann');
  ann.socket.setNoDelay(); // or the rest of a burst waits for the system to acknowledge its first line
  using slow = await enter(port, 'slow');
  await ann.heard('* slow is here\n');
  slow.socket.pause();
  using bob = await enter(port, 'bob');
  await ann.heard('* bob is here\n');

  // More than the kernel buffers for a client that does not read, in bursts that bob keeps up with.
  const rounds = 1_000;
  const burst = 30;
  for (let round = 1; round <= rounds; round++) {
    for (let n = 1; n <= burst; n++) ann.socket.write(`${round}.${n} ${'.'.repeat(1_000)}\n`);
    await bob.heard(`ann: ${round}.${burst} `);
    bob.clear();
  }
  slow.socket.resume();
  ann.socket.write('the end\n');
  await slow.heard('ann: the end\n');

  const heard = slow.text.split('\n').filter((line) => line.startsWith('ann: ')).length;
  expect(heard).toBeGreaterThan(100);
  expect(heard).toBeLessThan(rounds * burst);
});
