// The IRC bot with ngIRCd, and with a server that does what ngIRCd does not.
import { expect, test } from 'vitest';
import { restartNgircd, startNgircd } from '../support/ngircd.js';
import { rawServer } from '../support/raw-peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { Client, example, exampleWith } from './support.js';

/** Somebody in the channel. */
async function enter(port: number, nick: string, password = ''): Promise<Client> {
  const client = new Client(port);
  client.socket.write(`PASS ${password}\r\nNICK ${nick}\r\nUSER ${nick} 0 * :${nick}\r\nJOIN #rx\r\n`);
  await client.heard('End of NAMES');
  return client;
}

test('answers in its channel, and comes back with its password when the server was restarted', async () => {
  await using folder = await temporaryFolder();
  await using server = await startNgircd(folder.path, 'secret');
  const { port } = server;
  await using bot = exampleWith({ env: { IRC_PASSWORD: 'secret' } }, 'irc-bot', '127.0.0.1', port, '#rx');
  await bot.printed(/^\* rxbot is in #rx\n/);
  using ann = await enter(port, 'ann', 'secret');
  ann.socket.write('PRIVMSG #rx :!time\r\nPRIVMSG rxbot :!time\r\nPRIVMSG #rx :two words\r\n');
  await ann.heard('PRIVMSG #rx :ann: it is 20');
  await bot.printed(/^<ann> !time\n<ann> two words\n/m);
  server.program.kill('SIGTERM');
  await server.program.exited;
  await bot.printed(/\* attempt 1 in \d+ ms\n/);

  await using again = await restartNgircd(folder.path, port, 'secret');
  await bot.printed(/(is in #rx.*){3}/s);
  using bob = await enter(port, 'bob', 'secret');
  bob.socket.write('PRIVMSG #rx :!time\r\n');
  await bob.heard('PRIVMSG #rx :bob: it is 20');

  expect(ann.text.match(/it is 20/g)).toHaveLength(1);
  expect(await bot.interrupt()).toBe(0);
  expect(bot.stderr).toBe('');
  await again.printed(/User "rxbot!.*" unregistered .*: Got QUIT command/);
});

test('does not come again with a password that the server has refused', async () => {
  await using folder = await temporaryFolder();
  await using server = await startNgircd(folder.path, 'secret');
  await using bot = exampleWith({ env: { IRC_PASSWORD: 'wrong' } }, 'irc-bot', '127.0.0.1', server.port, '#rx');

  expect(await bot.exited).toBe(1);
  expect(bot.stderr).toBe('The setup of the connection failed: Access denied: Bad password?\n');
  await server.program.printed(/rejected \(connection \d+\): Bad server password/);
  expect(server.program.stdout.match(/Accepted connection/g)).toHaveLength(1);
});

test('takes another name if its own is taken', async () => {
  await using folder = await temporaryFolder();
  await using server = await startNgircd(folder.path);
  using ghost = await enter(server.port, 'rxbot');
  await using bot = example('irc-bot', '127.0.0.1', server.port, '#rx');
  await bot.printed(/^\* rxbot_ is in #rx\n/);

  await ghost.heard(':rxbot_!~rxbot@127.0.0.1 JOIN :#rx');
});

test('answers the PING of a server that sends it before the welcome, and in any pieces', async () => {
  const server = await rawServer();
  await using bot = example('irc-bot', '127.0.0.1', server.port, '#rx');
  const peer = await server.next();
  peer.setNoDelay();
  const received = peer.setEncoding('utf8').resume();
  let text = '';
  received.on('data', (part: string) => {
    text += part;
  });
  for (const letter of 'PING :4711\r\n:s 001 rxbot :welcome\r\nPING :4712\r\n:ann!a@b JOIN #rx\r\n') peer.write(letter);
  await bot.printed(/^\* ann is in #rx\n/);

  await expect
    .poll(() => text)
    .toBe('NICK :rxbot\r\nUSER rxbot 0 * :a bot made with rxsock\r\nPONG :4711\r\nJOIN :#rx\r\nPONG :4712\r\n');
});

test('prints nothing that a terminal would execute', async () => {
  const said = ':eve!e@x PRIVMSG #rx :\u001B]0;owned\u0007\r\n';
  const server = await rawServer((peer) => peer.write(`:x 001 rxbot :hello\r\n${said}`));
  await using bot = example('irc-bot', '127.0.0.1', server.port, '#rx');

  await bot.printed(/^<eve> \uFFFD\]0;owned\uFFFD\n/m);
});

test('goes on after a PING that nobody can answer, and knows its channel in any case', async () => {
  const server = await rawServer((peer) => {
    peer.write(`:x 001 rxbot :hello\r\nPING :a\0b\r\nPING ${'a'.repeat(505)}\r\n:ann!a@x PRIVMSG #RX :!time\r\n`);
  });
  await using bot = example('irc-bot', '127.0.0.1', server.port, '#rx');

  await bot.printed(/^(\* not sent: .*\n){2}<ann> !time\n/);
});

test('ends at Ctrl-C while it waits to come back', async () => {
  const server = await rawServer();
  await using bot = example('irc-bot', '127.0.0.1', server.port, '#rx');
  (await server.next()).resetAndDestroy();
  await bot.printed(/attempt 1/);

  expect(await bot.interrupt()).toBe(0);
  expect(bot.stderr).toBe('');
});
