// Proxies whose side of the handshake a test writes byte for byte.
import { once } from 'node:events';
import type net from 'node:net';
import { rawServer } from '../../../../tests/support/raw-peers.js';

export interface ScriptedProxy {
  readonly port: number;
  /** The next connection of a client. */
  client(): Promise<ProxyClient>;
}

export interface ProxyClient {
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
