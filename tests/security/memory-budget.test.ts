// The attack: very many clients that ask for much and read nothing. Each of them stays within the limits of its
// connection, and all together fill the memory. The defence: one memoryBudget for everything that listens, which is off
// by default.
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import nodeTls from 'node:tls';
import { connect, data, flowFrom, listen, memoryBudget, on, type Server, type Socket, serve } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import * as unix from '@rxsock/unix';
import { firstValueFrom, of } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { cert, key } from '../support/certificate.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { turns } from '../support/turns.js';

const MIB = 1024 * 1024;

function* endless() {
  const chunk = Buffer.alloc(16 * 1024);
  for (;;) yield chunk;
}

/** Starts a server that answers without end. Returns where it listens, and the errors of its connections. */
async function startEndless(server: Server) {
  const errors: unknown[] = [];
  const listening = firstValueFrom(server.pipe(on('listening')));
  server.pipe(serve(() => flowFrom(endless()))).subscribe((event) => {
    if (event.type === 'connectionError') errors.push(event.error);
  });
  onTestFinished(() => server.close({ drain: 0 }));
  return { address: (await listening).address, errors };
}

async function startEcho(server: Server) {
  const listening = firstValueFrom(server.pipe(on('listening')));
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  onTestFinished(() => server.close({ drain: 0 }));
  return (await listening).address as net.AddressInfo;
}

/** Connects, and reads nothing. */
async function slowReader(where: net.NetConnectOpts): Promise<net.Socket> {
  const peer = net.connect(where).on('error', () => {});
  onTestFinished(() => void peer.destroy());
  await once(peer, 'connect');
  return peer.pause();
}

async function echoed(port: number, text: string): Promise<string> {
  const peer = net.connect(port, '127.0.0.1');
  peer.write(text);
  const [answer] = await once(peer, 'data');
  peer.end();
  return String(answer);
}

test('1,000 clients that read nothing fill 1 MiB and no more, none of them fails, and others are served', async () => {
  await using folder = await temporaryFolder();
  const budget = memoryBudget(MIB);
  // The kernel keeps less of a UNIX socket than of a TCP connection: 0.2 MB.
  const file = path.join(folder.path, 'server');
  const { errors } = await startEndless(unix.listen({ path: file, budget }));
  const { port } = await startEcho(listen({ budget }));
  let most = 0;
  const look = () => {
    most = Math.max(most, budget.used);
  };
  const peers: net.Socket[] = [];
  for (let i = 0; i < 1000; i++) {
    peers.push(await slowReader({ path: file }));
    look();
    if (i % 100 === 99) expect(await echoed(port, `hello ${i}`)).toBe(`hello ${i}`);
  }
  await turns();
  look();
  expect(most).toBeLessThanOrEqual(MIB);
  expect(budget.used).toBeGreaterThan(MIB / 2);
  expect(errors).toEqual([]);

  // Those that stay go on when they read.
  for (const peer of peers.splice(50)) peer.destroy();
  for (const peer of peers) peer.resume();
  await expect.poll(() => peers.filter(({ bytesRead }) => bytesRead < MIB).length, { timeout: 10_000 }).toBe(0);
  look();
  expect(most).toBeLessThanOrEqual(MIB);
  for (const peer of peers) peer.destroy();
  await expect.poll(() => budget.used).toBe(0);
});

test('TCP, TLS and UNIX sockets share a budget: one for all that are accepted, one for all that are dialled', async () => {
  await using folder = await temporaryFolder();
  const [budget, dialled] = [memoryBudget(MIB), memoryBudget(MIB)];
  const file = path.join(folder.path, 'server');
  const started = [
    await startEndless(listen({ budget })),
    await startEndless(tls.listen({ budget, key, cert })),
    await startEndless(unix.listen({ path: file, budget })),
  ] as const;
  const [tcpPort, tlsPort] = started.map(({ address }) => (address as net.AddressInfo).port);
  const dial = (): Socket[] => [
    connect({ port: tcpPort as number, budget: dialled }),
    unix.connect({ path: file, budget: dialled }),
    tls.connect({ port: tlsPort as number, ca: cert, verifyHost: 'localhost', budget: dialled }),
  ];
  const sockets = Array.from({ length: 8 }, dial).flat();
  for (const socket of sockets) socket.pipe(data()).subscribe({ error: () => {} });
  const releases = sockets.map((socket) => socket.hold('test'));
  await expect.poll(() => Math.min(budget.used, dialled.used)).toBeGreaterThan(MIB / 4);
  await turns();
  for (const { limit, used } of [budget, dialled]) expect(used).toBeLessThanOrEqual(limit);
  for (const release of releases) release();
  await expect.poll(() => sockets.filter(({ bytesRead }) => bytesRead < MIB).length).toBe(0);
  expect(started.flatMap(({ errors }) => errors)).toEqual([]);
  for (const socket of sockets) socket.error();
});

test('100 clients that ask at the same time for more than there is all get it, over UNIX and over TLS', async () => {
  await using folder = await temporaryFolder();
  const file = path.join(folder.path, 'server');
  const answer = Buffer.alloc(MIB / 4, 'x');
  // Answers a client at once: over TLS, before its handshake is complete.
  const start = async (server: Server) => {
    const errors: unknown[] = [];
    const listening = firstValueFrom(server.pipe(on('listening')));
    server.pipe(serve(() => of(answer))).subscribe((event) => {
      if (event.type === 'connectionError') errors.push(event.error);
    });
    onTestFinished(() => server.close({ drain: 0 }));
    const { address } = await listening;
    return { errors, address: address as net.AddressInfo };
  };
  const budgets = [memoryBudget(2 * MIB), memoryBudget(2 * MIB)] as const;
  const overUnix = await start(unix.listen({ path: file, budget: budgets[0] }));
  const overTls = await start(tls.listen({ budget: budgets[1], key, cert }));
  const ways: Readonly<Record<string, () => net.Socket>> = {
    unix: () => net.connect(file),
    tls: () => nodeTls.connect({ port: overTls.address.port, ca: cert, servername: 'localhost' }),
  };
  for (const [name, dial] of Object.entries(ways)) {
    const peers = Array.from({ length: 100 }, () =>
      dial()
        .on('error', () => {})
        .pause(),
    );
    onTestFinished(() => peers.forEach((peer) => void peer.destroy()));
    await turns(20);
    const received = peers.map(async (peer) => {
      let bytes = 0;
      for await (const chunk of peer) bytes += (chunk as Buffer).length;
      return bytes;
    });
    expect([name, ...new Set(await Promise.all(received))]).toEqual([name, answer.length]);
  }
  expect([...overUnix.errors, ...overTls.errors]).toEqual([]);
  expect(budgets.map(({ used }) => used)).toEqual([0, 0]);
});
