// The three transports of streams, with the same verbs.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Server, Socket } from '@rxsock/core';
import * as tcp from '@rxsock/core';
import * as tls from '@rxsock/tls';
import * as unix from '@rxsock/unix';
import { generate } from 'selfsigned';

export type TransportName = 'tcp' | 'tls' | 'unix';

export const transportNames: readonly TransportName[] = ['tcp', 'tls', 'unix'];

/** Where a server listens. It can be sent to other processes. */
export type Target =
  | { readonly transport: 'tcp'; readonly port: number }
  | { readonly transport: 'tls'; readonly port: number; readonly ca: string }
  | { readonly transport: 'unix'; readonly path: string };

/** Makes a socket that has not dialled yet. */
export function dial(target: Target): Socket {
  if (target.transport === 'unix') return unix.connect({ path: target.path });
  if (target.transport === 'tcp') return tcp.connect({ port: target.port });
  return tls.connect({ port: target.port, ca: target.ca, verifyHost: 'localhost' });
}

/** A server that listens. `dispose` removes its files when it is closed. */
export interface Listener {
  readonly server: Server;
  /** Returns where clients can reach the server. Call it with the address of the `listening` event. */
  targetOf(address: tcp.Endpoint): Target;
  dispose(): Promise<void>;
}

export async function makeListener(transport: TransportName, maxConnections: number): Promise<Listener> {
  const options = { maxConnections };
  const dispose = async () => {};
  if (transport === 'tcp') {
    const targetOf = (address: tcp.Endpoint) => ({ transport, port: portOf(address) }) as const;
    return { server: tcp.listen(options), targetOf, dispose };
  }
  if (transport === 'tls') {
    const { private: key, cert } = await makeCertificate();
    const targetOf = (address: tcp.Endpoint) => ({ transport, port: portOf(address), ca: cert }) as const;
    return { server: tls.listen({ ...options, key, cert }), targetOf, dispose };
  }
  const folder = await mkdtemp(join(tmpdir(), 'rxsock-soak-'));
  const path = join(folder, 'socket');
  return {
    server: unix.listen({ ...options, path }),
    targetOf: () => ({ transport, path }),
    dispose: () => rm(folder, { recursive: true }),
  };
}

function makeCertificate() {
  return generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
}

function portOf(address: tcp.Endpoint): number {
  return (address as { readonly port: number }).port;
}
