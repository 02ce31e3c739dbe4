// The model of sockets, over every transport: random stories of readers, holds, writes, ends, aborts and stalls. The peers
// are sockets of this library, and programs that are not Node.
import { join } from 'node:path';
import { connect, type Endpoint, fromDuplex, listen, type Server, type Socket, toDuplex } from '@rxsock/core';
import { socketModel, verifyTransport } from '@rxsock/core/fast-check';
import * as tls from '@rxsock/tls';
import * as unix from '@rxsock/unix';
import fc from 'fast-check';
import { filter, firstValueFrom, map } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { transports } from '../compliance/transports/index.js';
import { cert } from '../support/certificate.js';
import { type ScriptedPeer, type ScriptedPeerOptions, scriptedPeer } from '../support/peers/scripted-peer.js';
import { checkProperty, propertyParameters } from '../support/property.js';
import { testFolder } from '../support/temporary-folder.js';

describe('a transport keeps the laws of sockets', () => {
  for (const transport of transports) {
    if (!('listen' in transport)) continue;
    test(transport.name, async () => {
      const tested = {
        listen: () => transport.listen({}),
        connect: (address: Parameters<typeof transport.connect>[0]) => transport.connect(address, {}),
        hasResets: transport.has.reset,
      };
      await verifyTransport(tested, propertyParameters());
    });
  }
});

describe('a connection to a peer that is not Node keeps the laws of sockets', () => {
  const dials: Record<
    string,
    { options: () => Promise<ScriptedPeerOptions>; dial: (peer: ScriptedPeer, options: ScriptedPeerOptions) => Socket }
  > = {
    TCP: { options: async () => ({}), dial: ({ port }) => connect({ host: '127.0.0.1', port }) },
    'TLS 1.2': { options: async () => ({ tls: '1.2' }), dial: dialTls },
    'TLS 1.3': { options: async () => ({ tls: '1.3' }), dial: dialTls },
    UNIX: {
      options: async () => ({ path: join(await testFolder(), 'socket') }),
      dial: (_peer, { path = '' }) => unix.connect({ path }),
    },
  };
  for (const [name, { options, dial }] of Object.entries(dials)) {
    test(name, async () => {
      const given = await options();
      const peer = await scriptedPeer(given);
      onTestFinished(() => peer.close());
      const model = socketModel(async () => {
        const near = dial(peer, given);
        near.write('');
        await firstValueFrom(near.readyStates.pipe(filter((state) => state === 'open')));
        return { near, far: await peer.accept(), hasResets: name !== 'UNIX' };
      });
      await checkProperty(fc.asyncProperty(model.commands, (commands) => model.run(commands)));
    });
  }
});

function dialTls({ port }: ScriptedPeer): Socket {
  return tls.connect({ host: '127.0.0.1', port, ca: cert, verifyHost: 'localhost' });
}

test('a wrapper may change the sockets that a server emits: each is wrapped once', async () => {
  const accepted: Socket[] = [];
  const wrapped = {
    connect: (address: Endpoint) => connect({ host: '127.0.0.1', port: 'port' in address ? address.port : 0 }),
    listen: () => {
      const server = listen();
      const events = server.pipe(
        map((event) => {
          if (event.type !== 'connection') return event;
          accepted.push(event.socket);
          return { ...event, socket: fromDuplex(toDuplex(event.socket)) };
        }),
      );
      return Object.assign(events, { close: server.close.bind(server) });
    },
  };
  await verifyTransport(wrapped, { seed: 1, numRuns: 10 });
  expect(accepted.length).toBe(new Set(accepted).size);
  expect(accepted.length).toBeGreaterThan(0);
});

test('a transport that cannot connect is rejected with the reason, and its server is closed', async () => {
  const servers: Server[] = [];
  const broken = {
    connect: () => connect({ host: '127.0.0.1', port: 1 }),
    listen: () => {
      const server = listen();
      servers.push(server);
      return server;
    },
  };
  for (const seed of [1, 7])
    await expect(verifyTransport(broken, { seed, numRuns: 1 })).rejects.toThrow(
      /ECONNREFUSED|a connection at the other end/,
    );
  expect(servers.map(({ readyState }) => readyState)).toEqual(servers.map(() => 'closed'));
});
