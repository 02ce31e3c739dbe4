// Proxies whose side of the handshake a test writes byte for byte.
import { once } from 'node:events';
import type net from 'node:net';
import { type ConnectOptions, type Connector, connect } from '@rxsock/core';
import { onTestFinished } from 'vitest';
import { rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

export interface ScriptedProxy {
  readonly port: number;
  /** The next connection of a client. */
  client(): Promise<ProxyClient>;
}

interface ProxyClient {
  readonly peer: net.Socket;
  /** The next bytes that came, in hexadecimal. */
  hex(): Promise<string>;
  /** The next bytes that came, as text. */
  text(): Promise<string>;
  /** Sends bytes: a number is a byte. */
  send(...bytes: (number | string)[]): void;
}

export async function scriptedProxy(): Promise<ScriptedProxy> {
  const server = await rawServer();
  const client = async (): Promise<ProxyClient> => {
    const peer = await server.next();
    const next = async (): Promise<Buffer> => {
      const [bytes] = (await once(peer.resume(), 'data')) as [Buffer];
      peer.pause();
      return bytes;
    };
    return {
      peer,
      hex: async () => (await next()).toString('hex'),
      text: async () => (await next()).toString('latin1'),
      send: (...parts) =>
        void peer.write(
          Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part)))),
        ),
    };
  };
  return { port: server.port, client };
}

/** Connects to example.com:80 through a scripted proxy, and records the socket. */
export async function dialThrough(
  via: (proxy: { readonly host: string; readonly port: number }) => Connector,
  target: Partial<ConnectOptions>,
) {
  const { port, client } = await scriptedProxy();
  const socket = connect({ host: 'example.com', port: 80, via: via({ host: '127.0.0.1', port }), ...target });
  onTestFinished(() => socket.error());
  const recording = record(socket);
  return { socket, recording, proxy: await client(), port };
}
