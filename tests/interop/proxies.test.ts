// curl through proxies of ours: bytes that were read too far are given back to the next reader of the socket.
import { connect, listen, reader, relay, type Socket } from '@rxsock/core';
import { concat, concatMap, defer, of } from 'rxjs';
import { expect, test } from 'vitest';
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
