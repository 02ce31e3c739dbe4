// curl through proxies of ours: bytes that were read too far are given back to the next reader of the socket. And our
// sockets through proxies of others.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, data, decodeText, listen, reader, relay, type Socket } from '@rxsock/core';
import { httpConnect, socks5 } from '@rxsock/core/proxy';
import { concat, concatMap, defer, firstValueFrom, of } from 'rxjs';
import { expect, test } from 'vitest';
import { startOnFreePort, startSilent } from '../support/listening-programs.js';
import { Program } from '../support/program.js';
import { closedPort } from '../support/raw-peers.js';
import { record } from '../support/record.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { curl, http } from './http.js';
import { serving } from './support.js';

test('sends its request through a tunnel: a relay() that starts behind the CONNECT request', async () => {
  const { address: origin } = await serving(listen(), http);
  const targets: string[] = [];
  const open = async (client: Socket) => {
    using head = reader(client);
    const [, target = ''] = (await head.readUntil('\r\n\r\n')).toString().split(' ');
    targets.push(target);
    const [host = '', port] = target.split(':');
    return concat(of('HTTP/1.1 200 OK\r\n\r\n'), relay(client, connect({ host, port: Number(port) })));
  };
  const { address: proxy, errors } = await serving(listen(), (client) =>
    defer(() => open(client)).pipe(concatMap((answer) => answer)),
  );
  const url = `http://127.0.0.1:${origin.port}`;

  const tunnel = ['--noproxy', '', '--proxytunnel', '--proxy', `http://127.0.0.1:${proxy.port}`];
  const twice = await curl('', ...tunnel, '--write-out', '%{num_connects} ', `${url}/one`, `${url}/two`);

  expect(await twice.exited).toBe(0);
  expect(twice.stdout).toBe('hello /one\n1 hello /two\n0 ');
  expect(targets).toEqual([`127.0.0.1:${origin.port}`]);
  expect(errors).toEqual([]);
});

test('announces the original client in a line of the PROXY protocol, before its request', async () => {
  const clients: (string | undefined)[] = [];
  const { address, errors } = await serving(listen(), async function* (socket) {
    const first = reader(socket);
    clients.push(await first.readLine());
    first.release();
    yield* http(socket);
  });

  const get = await curl('', '--haproxy-protocol', `http://127.0.0.1:${address.port}/you`);

  expect(await get.exited).toBe(0);
  expect(get.stdout).toBe('hello /you\n');
  expect(clients).toEqual([expect.stringMatching(`^PROXY TCP4 127\\.0\\.0\\.1 127\\.0\\.0\\.1 \\d+ ${address.port}$`)]);
  expect(errors).toEqual([]);
});

test.each(['microsocks', 'tinyproxy'] as const)(
  'connects through %s, with a login and without one',
  async (program) => {
    await using folder = await temporaryFolder();
    const { address: origin } = await serving(listen(), () => 'hello from the origin');
    for (const login of [undefined, { username: 'me', password: 'secret' }]) {
      await using proxy = await startProxy[program](folder.path, login);
      const address = { host: '127.0.0.1', port: proxy.port };
      const through = (options?: { username: string; password: string }) => {
        const via = program === 'microsocks' ? socks5(address, options) : httpConnect(address, options);
        // The proxy resolves the name.
        return firstValueFrom(connect({ host: 'localhost', port: origin.port, via }).pipe(data(), decodeText()));
      };
      expect(await through(login)).toBe('hello from the origin');
      const refusal = { code: 'ERR_PROXY_AUTH', name: 'ConnectError' };
      if (login) await expect(through({ ...login, password: 'wrong' })).rejects.toMatchObject(refusal);
      if (login) await expect(through()).rejects.toMatchObject(refusal);
    }
  },
);

test('tells what tinyproxy refuses', async () => {
  await using folder = await temporaryFolder();
  await using proxy = await startProxy.tinyproxy(folder.path, undefined);
  const via = httpConnect({ host: '127.0.0.1', port: proxy.port });
  const socket = connect({ host: 'localhost', port: await closedPort(), via });
  const { error } = await record(socket).ended;
  expect(error).toMatchObject({
    code: 'ERR_PROXY_REFUSED',
    message: expect.stringMatching(/refused the connection: 50\d/),
  });
});

/** Real proxies on the loopback interface. */
const startProxy = {
  microsocks: (_folder: string, login: { username: string; password: string } | undefined) =>
    startSilent((port) => {
      const words = login ? ['-u', login.username, '-P', login.password] : [];
      return new Program('microsocks', ['-i', '127.0.0.1', '-p', `${port}`, ...words]);
    }),
  tinyproxy: (folder: string, login: { username: string; password: string } | undefined) =>
    startOnFreePort(
      (port) => {
        const file = join(folder, `tinyproxy-${port}.conf`);
        const lines = [`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 30', 'MaxClients 20', 'Allow 127.0.0.1'];
        if (login) lines.push(`BasicAuth ${login.username} ${login.password}`);
        writeFileSync(file, `${lines.join('\n')}\n`);
        return new Program('tinyproxy', ['-d', '-c', file]);
      },
      /Starting main loop|Accepting connections/,
      'stdout',
    ),
};
