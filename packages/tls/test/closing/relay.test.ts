// A relay to a TLS target that ends first: the target has answered, and takes what is still to come.
import net from 'node:net';
import type tls from 'node:tls';
import { listen, on, relay, type ServerEvent, serve } from '@rxsock/core';
import { firstValueFrom, ReplaySubject } from 'rxjs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { turns } from '../../../../tests/support/turns.js';
import { versions } from '../support/identities.js';
import { dial, drained, nodeServer } from '../support/peers.js';

test.each(versions)('passes both directions on whole, without a connectionError: %s', async (version) => {
  const target = await nodeServer({ minVersion: version, maxVersion: version });
  const events = new ReplaySubject<ServerEvent | { readonly type: 'connectionError' }>();
  const relayed = serve((socket) => relay(socket, dial({ port: target.port, host: 'localhost', family: 4 })));
  const subscription = listen().pipe(relayed).subscribe(events);
  onTestFinished(() => subscription.unsubscribe());
  const types: string[] = [];
  events.subscribe(({ type }) => types.push(type));
  const { address } = await firstValueFrom(events.pipe(on('listening')));
  for (const late of ['', 'late']) {
    const client = net.connect({ port: (address as net.AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
    onTestFinished(() => void client.destroy());
    client.write('question');
    const peer: tls.TLSSocket = await target.next();
    const received = drained(peer);
    // In the turn that ends the handshake, Node's server would send no close_notify.
    await turns(2);
    peer.end('answer');
    expect(await drained(client)).toEqual({ text: 'answer', end: 'end' });
    client.end(late);
    expect(await received).toEqual({ text: `question${late}`, end: 'end' });
    await vi.waitUntil(() => client.closed);
    await turns(5);
  }
  expect(types).toEqual(['listening', 'connection', 'connection']);
});
