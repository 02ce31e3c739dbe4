// A thousand connections, ended in every way, leave nothing behind: no handle, no timer, no descriptor, no listener.
import net from 'node:net';
import * as tcp from '@rxsock/core';
import { connect, createSecureContext, listen, upgrade } from '@rxsock/tls';
import { firstValueFrom, from, lastValueFrom, mergeMap, of, range } from 'rxjs';
import { expect, test } from 'vitest';
import { countingSignal, snapshotResources } from '../../../../tests/support/resources.js';
import { ca, localhost, untrustedCa, versions } from '../support/identities.js';

const CYCLES = 1000;

const expectAsBefore = snapshotResources();

test.each(versions)(
  'a thousand connections leave nothing behind, in %s',
  async (version) => {
    const counted = countingSignal();
    const server = listen({ ...localhost, minVersion: version, maxVersion: version });
    const serving = server.pipe(tcp.serve((socket) => socket)).subscribe();
    const { address } = await firstValueFrom(server.pipe(tcp.on('listening')));
    const plainServer = tcp.listen();
    const upgrading = plainServer.pipe(tcp.connections()).subscribe((plain) => {
      const secure = upgrade(plain, { ...localhost, isServer: true, maxVersion: version });
      secure.pipe(tcp.data(), tcp.writeTo(secure)).subscribe();
    });
    const plainAddress = (await firstValueFrom(plainServer.pipe(tcp.on('listening')))).address;
    const context = createSecureContext({ ca });
    const options = { host: '127.0.0.1', port: address.port, context, signal: counted.signal, idleTimeout: 60_000 };

    const echo = async (socket: tcp.Socket) =>
      expect(`${await lastValueFrom(of('hello').pipe(tcp.through(socket)))}`).toBe('hello');
    const ways: (() => Promise<unknown>)[] = [
      () => echo(connect(options)),
      () => echo(connect({ ...options, context: createSecureContext({ ca }) })),
      async () => {
        const socket = connect(options);
        await socket.write('hello');
        socket.error();
        await socket.close();
      },
      async () => {
        const socket = connect(options);
        socket.next('hello');
        socket.subscribe({ error: () => {} }).unsubscribe();
        await socket.close();
      },
      async () => {
        const socket = connect(options);
        socket.subscribe({ error: () => {} }).unsubscribe();
        await socket.close();
      },
      async () => {
        const socket = connect(options);
        await firstValueFrom(socket.pipe(tcp.on('connect')));
        socket.error();
        await socket.close();
      },
      async () => {
        const refused = connect({ host: '127.0.0.1', port: address.port, ca: untrustedCa, signal: counted.signal });
        await expect(lastValueFrom(refused)).rejects.toMatchObject({ name: 'CertificateError' });
      },
      () =>
        new Promise((resolve) => {
          const junk = net.connect({ host: '127.0.0.1', port: address.port }).on('error', () => {});
          junk.resume().on('close', resolve).write('junk\r\n\r\n');
        }),
      () =>
        new Promise((resolve) => {
          const silent = net.connect({ host: '127.0.0.1', port: address.port }, () => silent.resetAndDestroy());
          silent.on('close', resolve);
        }),
      async () => {
        const plain = tcp.connect({ host: '127.0.0.1', port: plainAddress.port, keepOpen: true });
        await firstValueFrom(plain.pipe(tcp.on('connect')));
        await echo(upgrade(plain, { ca, servername: 'localhost', signal: counted.signal }));
      },
    ];
    const cycle = (index: number) => from((ways[index % ways.length] as () => Promise<unknown>)());
    await lastValueFrom(range(CYCLES).pipe(mergeMap(cycle, 20)));

    await Promise.all([server.close({ drain: 1000 }), plainServer.close({ drain: 1000 })]);
    serving.unsubscribe();
    upgrading.unsubscribe();
    expect(server.sockets.size).toBe(0);
    expect(counted.listeners).toBe(0);
    await expectAsBefore();
  },
  60_000,
);

test('handshakes that take too long leave nothing behind', async () => {
  const server = listen({ ...localhost, handshakeTimeout: 50 });
  const drops = { count: 0 };
  const watching = server.subscribe(({ type }) => {
    if (type === 'drop') drops.count++;
  });
  const { address } = await firstValueFrom(server.pipe(tcp.on('listening')));
  const silent = () =>
    new Promise((resolve) => {
      net
        .connect({ host: '127.0.0.1', port: address.port })
        .on('error', () => {})
        .resume()
        .on('close', resolve);
    });
  await Promise.all(Array.from({ length: 100 }, silent));
  expect(drops.count).toBe(100);
  watching.unsubscribe();
  await server.close({ drain: 0 });
  await expectAsBefore();
});
