// haproxy in front of our servers, with PROXY headers of both versions, and our clients in front of haproxy.
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import * as tcp from '@rxsock/core';
import { data, type Endpoint, formatEndpoint, type Proxied, type Socket } from '@rxsock/core';
import * as tls from '@rxsock/tls';
import * as unix from '@rxsock/unix';
import { firstValueFrom, toArray } from 'rxjs';
import { beforeEach, describe, expect, test } from 'vitest';
import { haproxy, passingTo } from '../support/haproxy.js';
import { drainRaw } from '../support/raw-peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { serving } from './support.js';
import { type CertificateFiles, certificateFiles } from './tls.js';

const trusted = ['127.0.0.1'];
const AUTHORITY = 2;
const SSL = 0x20;

let folder: string;

beforeEach(async () => {
  const temporary = await temporaryFolder();
  folder = temporary.path;
  return () => temporary[Symbol.asyncDispose]();
});

/** A frontend that passes everything on. @param server The rest of its line `server`. */
const infrontOf = (server: string, bind?: string) => haproxy(folder, passingTo(server, bind));

/** Answers with what the server knows of its peer, and keeps what the proxy said. */
function telling() {
  const said: Proxied[] = [];
  const handler = (socket: Socket) => {
    if (socket.proxied) said.push(socket.proxied);
    return `${socket.type} ${formatEndpoint(socket.remote as Endpoint)}`;
  };
  return { said, handler };
}

/** Asks through a frontend, from an address that only clients have. */
async function ask(port: number): Promise<{ readonly answer: string; readonly own: string }> {
  const client = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
  const { bytes } = await drainRaw(client);
  return { answer: bytes.toString(), own: `127.0.0.9:${client.localPort}` };
}

describe.each([
  ['send-proxy', 1],
  ['send-proxy-v2', 2],
] as const)('behind %s', (option, version) => {
  test('a TCP server knows the client, and where it has connected to', async () => {
    const { said, handler } = telling();
    const { address, errors, drops } = await serving(tcp.listen({ proxyProtocol: { trusted } }), handler);
    const { port } = await infrontOf(`127.0.0.1:${address.port} ${option}`);
    const { answer, own } = await ask(port);
    expect(answer).toMatch(/^tcp 127\.0\.0\.9:\d+$/);
    expect(said.at(-1)).toMatchObject({ version, destination: { address: '127.0.0.1', port } });
    expect([`tcp ${own}`, errors, drops]).toEqual([answer, [], []]);
  });

  test('a UNIX server knows the client', async () => {
    const { handler } = telling();
    const path = join(folder, 'server');
    await serving(unix.listen({ path, proxyProtocol: {} }), handler);
    const { port } = await infrontOf(`unix@${path} ${option}`);
    const { answer, own } = await ask(port);
    expect(answer).toBe(`unix ${own}`);
  });

  test('a TLS server knows the client, whose handshake goes through', async () => {
    await using files: CertificateFiles = await certificateFiles();
    const { key, cert } = files.server;
    const { said, handler } = telling();
    const { address } = await serving(tls.listen({ key, cert, proxyProtocol: { trusted } }), handler);
    const { port } = await infrontOf(`127.0.0.1:${address.port} ${option}`);
    const socket = tls.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9', ca: files.ca });
    const answer = await firstValueFrom(socket.pipe(data(), toArray()));
    expect(Buffer.concat(answer).toString()).toBe(`tls ${formatEndpoint(socket.local as Endpoint)}`);
    expect(said.at(-1)).toMatchObject({ version, source: socket.local });
  });
});

test('the fields tell the server name and the TLS of a client whose TLS ends at haproxy', async () => {
  await using files: CertificateFiles = await certificateFiles();
  const pem = join(folder, 'server.pem');
  writeFileSync(pem, `${files.server.cert}\n${files.server.key}\n`);
  const { said, handler } = telling();
  const { address } = await serving(tcp.listen({ proxyProtocol: { trusted } }), handler);
  const { port } = await infrontOf(
    `127.0.0.1:${address.port} send-proxy-v2 proxy-v2-options ssl,authority,crc32c`,
    `ssl crt ${pem}`,
  );
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: files.ca });
  const answer = Buffer.concat(await firstValueFrom(socket.pipe(data(), toArray()))).toString();
  expect(answer).toBe(`tcp ${formatEndpoint(socket.local as Endpoint)}`);
  const fields = new Map(said.at(-1)?.tlvs.map(({ type, value }) => [type, Buffer.from(value).toString('latin1')]));
  expect(fields.get(AUTHORITY)).toBe('localhost');
  expect(fields.get(SSL)).toContain('TLSv1.');
});

test('a health check of haproxy comes from haproxy itself', async () => {
  const { said, handler } = telling();
  const { address, drops } = await serving(tcp.listen({ proxyProtocol: { trusted } }), handler);
  await infrontOf(`127.0.0.1:${address.port} send-proxy-v2 check inter 50ms check-send-proxy`);
  await expect.poll(() => said.filter(({ source }) => source === undefined).length).toBeGreaterThan(2);
  expect(drops).toEqual([]);
});

test('haproxy without send-proxy is refused, and told apart by the drop', async () => {
  const { handler } = telling();
  const { address, drops } = await serving(tcp.listen({ proxyProtocol: { trusted, timeout: 300 } }), handler);
  const { port } = await infrontOf(`127.0.0.1:${address.port}`);
  const client = net.connect({ port, host: '127.0.0.1' });
  client.write('GET / HTTP/1.1\r\n\r\n');
  expect((await drainRaw(client)).bytes).toHaveLength(0);
  expect(drops.at(-1)).toMatchObject({ reason: 'proxyProtocol', error: { code: 'ERR_PROXY_PROTOCOL' } });
});

test.each([1, 2] as const)('haproxy believes what our connect() says, in version %i', async (version) => {
  const answer = 'lf-string "%[src]:%[src_port] %[dst]:%[dst_port]"';
  const lines = ['mode http', `http-request return status 200 content-type text/plain ${answer}`];
  const { port } = await haproxy(folder, { bind: 'accept-proxy', lines });
  const source = { address: '192.0.2.7', port: 4660, family: 'IPv4' } as const;
  const destination = { address: '192.0.2.1', port: 80, family: 'IPv4' } as const;
  const socket = tcp.connect({ port, host: '127.0.0.1', proxyProtocol: { version, source, destination } });
  socket.next('GET / HTTP/1.0\r\n\r\n');
  const chunks = await firstValueFrom(socket.pipe(data(), toArray()));
  expect(Buffer.concat(chunks).toString()).toContain('\r\n\r\n192.0.2.7:4660 192.0.2.1:80');
});
