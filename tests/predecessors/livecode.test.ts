// LiveCode: the features of its socket commands, and the server and client on its page.
import type net from 'node:net';
import { connect, listen, on, reader, type Socket, SocketTimeoutError } from '@rxsock/core';
import { SocketRegistry } from '@rxsock/core/registry';
import { VirtualClock } from '@rxsock/core/testing';
import * as tls from '@rxsock/tls';
import * as udp from '@rxsock/udp';
import { firstValueFrom } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { certificateAuthority } from '../support/certificates.js';
import { instancePort } from '../support/processes/index.js';
import { run } from '../support/program.js';
import { closedPort, dial, drainRaw, opened, pair, rawServer } from '../support/raw-peers.js';
import { turns } from '../support/turns.js';
import { listening, ported } from './support.js';

describe('LiveCode: from local:port to host:port|name, datagram, secure, without verification, for host, certificate and key', () => {
  test('from local:port to host:port|name, datagram', async () => {
    const server = await rawServer();
    const localPort = await instancePort();
    const sockets = new SocketRegistry();
    const to = { host: 'localhost', family: 4, port: server.port, keepOpen: true } as const;
    const named = sockets.add(dial({ ...to, localAddress: '127.0.0.2', localPort }), 'named');
    const other = sockets.add(dial(to), 'other'); // a second one to the same place
    await Promise.all([opened(named), opened(other)]);
    expect(sockets.names()).toEqual(['named', 'other']);
    expect(named.local).toEqual({ address: '127.0.0.2', port: localPort, family: 'IPv4' });
    const from = [await server.next(), await server.next()].map(({ remoteAddress }) => remoteAddress);
    expect(from.sort()).toEqual(['127.0.0.1', '127.0.0.2']);

    const receiver = udp.bind();
    const message = firstValueFrom(receiver.pipe(on('message')));
    const { port } = await receiver.bind();
    const sender = udp.connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2', localPort });
    await sender.send('datagram');
    const { data, remote } = await message;
    expect([String(data), remote]).toEqual(['datagram', { address: '127.0.0.2', port: localPort, family: 'IPv4' }]);
    await Promise.all([sender.close(), receiver.close()]);
  });

  test('secure, without verification, for host, certificate and key', async () => {
    const authority = await certificateAuthority();
    const ca = authority.cert;
    const server = tls.listen({ ...(await authority.issue({ names: ['inner.test'] })), ca, requestCert: true });
    const { port } = await listening(server);
    const mine = await authority.issue({ names: ['joe'], client: true });
    const secured = async (options: Partial<tls.ConnectOptions>) => {
      const socket = tls.connect({ host: 'localhost', family: 4, port, ...mine, ...options });
      try {
        return await firstValueFrom(socket.pipe(on('secureConnect')));
      } finally {
        await socket.close();
      }
    };
    const refusal = async (options: Partial<tls.ConnectOptions>) => {
      const socket = tls.connect({ host: 'localhost', family: 4, port, ...mine, ...options });
      return socket.write('hello').catch((error: unknown) => error);
    };

    expect(await refusal({})).toMatchObject({ name: 'CertificateError' }); // a secure socket with an unknown authority
    expect(await refusal({ ca })).toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }); // with another name
    expect(await secured({ ca, verifyHost: 'inner.test' })).toMatchObject({ authorized: true }); // for host
    expect(await secured({ verify: false })).toMatchObject({ authorized: false }); // without verification

    const accepted = firstValueFrom(server.pipe(on('connection')));
    const socket = tls.connect({ host: 'localhost', family: 4, port, ca, verifyHost: 'inner.test', ...mine });
    socket.write('hello');
    const { peer } = await firstValueFrom((await accepted).socket.pipe(on('secureConnect')));
    expect(peer?.subject).toBe('CN=joe'); // certificate and key
    await socket.close();
  });
});

describe('LiveCode: read … until crlf / for n / for n lines, write … with message, socketTimeout, buffered writes, DNS', () => {
  test('read from socket … until crlf / for n / for n lines', async () => {
    const { socket, peer } = await pair();
    const lines = reader(socket);
    peer.write('head: yes\r\n\r\n12345\x01\x02one\ntwo\r\nthr');
    expect(String(await lines.readUntil('\r\n'))).toBe('head: yes'); // until crlf
    expect(await lines.readUntil('\r\n')).toHaveLength(0);
    expect(String(await lines.read(5))).toBe('12345'); // for 5
    expect((await lines.read(2)).readUInt16BE()).toBe(0x0102); // for 1 uInt2
    const three = lines.readLines(3); // for 3 lines
    await turns();
    peer.write('ee\nno line end');
    expect(await three).toEqual(['one', 'two', 'three']);
    peer.end();
    expect(await lines.readLine()).toBe('no line end');
    expect(await lines.readLine()).toBeUndefined();
    await expect(lines.read(1)).rejects.toMatchObject({ code: 'ERR_FRAME_TRUNCATED' });
  });

  test('write … with message, socketTimeout, writes buffered while opening', async () => {
    const clock = new VirtualClock();
    const server = await rawServer();
    const socket = dial({ port: server.port, scheduler: clock, keepOpen: true });
    const written = socket.write('while '); // with message
    socket.next('opening');
    expect(socket.readyState).toBe('connecting');
    await written;
    const peer = await server.next();
    const lines = reader(socket, { timeout: 5_000 });
    const line = lines.readLine().catch((error: unknown) => error);
    peer.write('half a ');
    await expect.poll(() => socket.bytesRead).toBe(7);
    clock.tick(5_000);
    expect(await line).toBeInstanceOf(SocketTimeoutError); // socketTimeout
    expect(socket.readyState).toBe('open');
    peer.write('line\n');
    expect(await lines.readLine()).toBe('half a line'); // nothing was lost
    socket.complete();
    expect(String((await drainRaw(peer)).bytes)).toBe('while opening');

    const refused = connect({ host: '127.0.0.1', port: await closedPort() });
    await expect(refused.write('to nobody')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('DNS that never blocks', async () => {
    const server = await rawServer();
    let answer: (() => void) | undefined;
    const lookup: net.LookupFunction = (_name, _options, done) => {
      answer = () => done(null, [{ address: '127.0.0.1', family: 4 }]);
    };
    const slow = dial({ host: 'slow.test', port: server.port, lookup, keepOpen: true });
    slow.write('late');
    expect(slow.readyState).toBe('resolving');
    const quick: Socket = dial({ port: server.port, keepOpen: true });
    await opened(quick); // meanwhile
    expect(slow.readyState).toBe('resolving');
    answer?.();
    await opened(slow);
    expect(server.peers).toHaveLength(2);

    const listener = listen();
    const { port } = await listening(listener);
    const found = dial({ host: 'localhost', port, family: 4, keepOpen: true });
    const lookedUp = firstValueFrom(found.pipe(on('lookup')));
    expect(await lookedUp).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
  });
});

test('LiveCode: its program, the server and the client, with each other and with nc', async () => {
  const program = await ported('livecode');
  await using server = program('serve', 0);
  const [, port = ''] = await server.printed(/^Listening on port (\d+)\n$/);

  const client = program('ask', port, 'hello');
  expect(await client.exited).toBe(0);
  expect(client.stdout).toBe('You said: hello\n');
  const nc = await run('nc', ['-N', '127.0.0.1', port], 'one\r\ntwo\nthree');
  expect(nc.stdout).toBe('You said: one\nYou said: two\nYou said: three\n');
  expect(server.stderr).toBe('');
});
