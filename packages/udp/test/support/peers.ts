// Plain Node datagram sockets as peers, and sockets under test. All are closed when the test is over.
import dgram from 'node:dgram';
import { once } from 'node:events';
import { type Chunk, type InternetEndpoint, on } from '@rxsock/core';
import {
  type BindOptions,
  bind,
  type ConnectOptions,
  connect,
  type Datagram,
  type DatagramEvent,
  type DatagramSocket,
} from '@rxsock/udp';
import { firstValueFrom } from 'rxjs';
import { onTestFinished } from 'vitest';
import { type Recording, record } from '../../../../tests/support/record.js';

export interface RawPeer {
  readonly node: dgram.Socket;
  readonly port: number;
  /** The received messages, as text. */
  readonly received: string[];
  /** Sends, and waits until the kernel has the datagram: on loopback it has arrived then. */
  send(data: string | Buffer, port: number, address?: string): Promise<void>;
}

/** A plain socket. `answer` is called with each datagram. */
export async function rawPeer(
  answer?: (node: dgram.Socket, data: Buffer, from: dgram.RemoteInfo) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<RawPeer> {
  const node = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const received: string[] = [];
  node.on('error', () => {});
  node.on('message', (data, from) => {
    received.push(data.toString());
    answer?.(node, data, from);
  });
  node.bind(port, host);
  await once(node, 'listening');
  onTestFinished(() => void node.close());
  const send = (data: string | Buffer, to: number, address = host) =>
    new Promise<void>((resolve, reject) =>
      node.send(data, to, address, (error) => (error ? reject(error) : resolve())),
    );
  return { node, port: node.address().port, received, send };
}

/** A port that keeps refusing: a socket that is connected elsewhere occupies it. */
export async function refusingPort(): Promise<number> {
  const holder = dgram.createSocket('udp4');
  onTestFinished(() => void holder.close());
  holder.bind(0, '127.0.0.1');
  await once(holder, 'listening');
  holder.connect(1, '127.0.0.1');
  await once(holder, 'connect');
  return holder.address().port;
}

export interface Live<D extends Chunk | Datagram> extends Recording<DatagramEvent> {
  readonly socket: DatagramSocket<D>;
  readonly local: InternetEndpoint;
}

/** Subscribes, and waits until the socket is open. It is closed when the test is over. */
export async function live<D extends Chunk | Datagram>(socket: DatagramSocket<D>): Promise<Live<D>> {
  onTestFinished(async () => void (await socket.close({ timeout: 0 })));
  const recording = record<DatagramEvent>(socket);
  const { address } = await firstValueFrom(socket.pipe(on('listening')));
  return { socket, local: address, ...recording };
}

export const bound = (options?: BindOptions) => live(bind(options));

export const connected = (options: ConnectOptions) => live(connect(options));

/** The recorded events of one type. */
export function eventsOf<K extends DatagramEvent['type']>(
  { values }: { readonly values: readonly DatagramEvent[] },
  type: K,
): Extract<DatagramEvent, { readonly type: K }>[] {
  return values.filter((event): event is Extract<DatagramEvent, { readonly type: K }> => event.type === type);
}

/** A lookup that fails as for an unknown name, without asking the network. */
export const unknownName: NonNullable<BindOptions['lookup']> = (name, _options, done) =>
  process.nextTick(done, Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), '');
