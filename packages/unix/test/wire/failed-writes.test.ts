// A peer that has stopped reading and says nothing: a write to it fails, and its end never comes.
import { data, listen, reconnect, relay, serve, through } from '@rxsock/core';
import { VirtualClock } from '@rxsock/core/testing';
import { connect } from '@rxsock/unix';
import { of } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { startPeer } from '../../../../tests/support/peers/index.js';
import { rawClient } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { temporaryPath } from '../../../../tests/support/unix-servers.js';

async function deafPeer() {
  const { path } = temporaryPath();
  const peer = startPeer('deaf.pl', path);
  onTestFinished(() => peer.kill());
  await peer.line();
  const scheduler = new VirtualClock();
  /** Resolves when the peer has stopped reading from its next connection. */
  const deaf = () => peer.line();
  return { scheduler, deaf, options: { path, scheduler, finTimeout: 1000 } };
}

test('the error waits for the end of the peer no longer than finTimeout', async () => {
  const { scheduler, deaf, options } = await deafPeer();
  const socket = connect(options);
  const { ended } = record(socket.pipe(data()));
  await deaf();
  const answer = record(of('question').pipe(through(socket)));
  await expect.poll(() => socket.readyState).toBe('closing');
  scheduler.tick(999);
  expect(answer.log).toEqual([]);
  scheduler.tick(1);
  expect((await ended).error).toMatchObject({ code: 'EPIPE' });
  expect((await answer.ended).error).toMatchObject({ code: 'EPIPE' });
});

test('a reconnecting socket connects again, and its next write() leaves', async () => {
  const { scheduler, deaf, options } = await deafPeer();
  const feed = reconnect(() => connect(options), { scheduler, backoff: { initial: 0, max: 0 } });
  const { log } = record(feed);
  onTestFinished(() => feed.error());
  await deaf();
  await expect.poll(() => log).toContain('connect');
  await expect(feed.write('a')).rejects.toMatchObject({ code: 'EPIPE' });
  scheduler.tick(1000);
  await expect.poll(() => log).toContain('disconnect');
  scheduler.tick(0);
  await expect.poll(() => feed.readyState).toBe('open');
});

test('a relay to it ends, and the client is told', async () => {
  const { scheduler, deaf, options } = await deafPeer();
  const server = listen();
  onTestFinished(() => server.close({ drain: 0 }));
  const { log } = record(server.pipe(serve((client) => relay(client, connect(options)))));
  await expect.poll(() => server.address).toBeDefined();
  const client = rawClient((server.address as { port: number }).port);
  await deaf();
  client.on('error', () => {}).write('question');
  await expect
    .poll(() => {
      scheduler.tick(1000);
      return log;
    })
    .toContain('connectionError');
});
