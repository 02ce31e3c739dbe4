// Addresses and raw servers and sockets for each transport: what peers and baselines use.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';

export type TransportName = 'tcp' | 'unix' | 'tls';

/** Where something listens. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

const paths: string[] = [];

process.on('exit', () => {
  for (const path of paths) rmSync(path, { force: true });
});

/** A path at which nothing is yet. What is there when this process exits is removed. */
export function freePath(): string {
  const path = join(os.tmpdir(), `rxsock-bench-${process.pid}-${paths.length}.sock`);
  paths.push(path);
  return path;
}

/** A key and a certificate that nobody trusts: clients do not verify it. */
export async function selfSigned(): Promise<{ readonly key: string; readonly cert: string }> {
  // Imported when it is needed: what a measured process does not use would count as its memory.
  const { generate } = await import('selfsigned');
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec' });
  return { key, cert };
}

/** Makes a raw server, listens, and returns its address. */
export async function listenRaw(
  transport: TransportName,
  onConnection: (socket: net.Socket) => void,
  options: net.ServerOpts = {},
): Promise<{ readonly server: net.Server; readonly address: Address }> {
  const server =
    transport === 'tls'
      ? tls.createServer({ ...options, ...(await selfSigned()) }, onConnection)
      : net.createServer({ noDelay: transport === 'tcp', ...options }, onConnection);
  const host = '127.0.0.1';
  server.listen({ ...(transport === 'unix' ? { path: freePath() } : { host, port: 0 }), backlog: 1024 });
  await once(server, 'listening');
  const address = server.address() as net.AddressInfo | string;
  return { server, address: typeof address === 'string' ? { path: address } : { host, port: address.port } };
}

/** Makes a raw connection. */
export function connectRaw(transport: TransportName, address: Address, options: object = {}): net.Socket {
  if (transport === 'tls') return tls.connect({ ...address, ...options, rejectUnauthorized: false });
  return net.connect({ ...address, noDelay: transport === 'tcp', ...options });
}
