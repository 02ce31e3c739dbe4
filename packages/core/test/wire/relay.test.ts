// A target may answer and close while the client still sends, as HTTP servers do with 413: the answer is forwarded
// first.
import net from 'node:net';
import { listen, on, relay, type ServerEvent, serve } from '@rxsock/core';
import { filter, firstValueFrom, ReplaySubject } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { startPeer } from '../../../../tests/support/peers/index.js';
import { dial, drainRaw } from '../../../../tests/support/raw-peers.js';

const ROUNDS = 10;
/** Fits into the kernel's buffer. What the target has not sent when it closes is lost on its side. */
const ANSWER = 30_000;

/** Clients that never stop sending, through a relay to a target that answers and closes. */
async function answers(how: 'shut' | 'close') {
  const peer = startPeer('reply.pl', ANSWER, how);
  onTestFinished(() => peer.kill());
  const target = Number(await peer.line());
  const server = listen();
  const events = new ReplaySubject<ServerEvent | { readonly type: 'connectionError'; readonly error: unknown }>();
  const subscription = server.pipe(serve((socket) => relay(socket, dial({ port: target })))).subscribe(events);
  onTestFinished(() => subscription.unsubscribe());
  const { address } = await firstValueFrom(events.pipe(on('listening')));
  const answered = [];
  for (let round = 0; round < ROUNDS; round++) {
    const client = net.connect({ port: (address as net.AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    const send = () => void client.write(Buffer.alloc(65_536), (error) => !error && send());
    client.on('error', () => {});
    send();
    const { bytes, end } = await drainRaw(client);
    client.destroy();
    const failed = events.pipe(
      on('connectionError'),
      filter((_, index) => index === round),
    );
    answered.push({ bytes: bytes.length, end, error: (await firstValueFrom(failed)).error });
  }
  return answered;
}

test('an answer that the target ended is forwarded whole, and then the failure is reported', async () => {
  for (const answer of await answers('shut')) {
    expect(answer).toMatchObject({ bytes: ANSWER, end: 'end', error: { name: 'ResetError', code: 'EPIPE' } });
  }
});

test('an answer that the target did not end is never forwarded as whole', async () => {
  for (const { end, error } of await answers('close')) {
    expect(end).toBe('ECONNRESET');
    expect(error).toMatchObject({ name: 'ResetError', code: 'ECONNRESET' });
  }
});
