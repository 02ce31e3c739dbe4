// Recorders: attaches to the sockets of this process, by the diagnostics channels and a byte tap, and records those that
// are wanted.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type Endpoint, formatEndpoint, type InternetEndpoint } from '../base/endpoint.js';
import { guarded } from '../base/guarded.js';
import { type ByteTap, type DatagramDestination, tapBytes } from '../observe/byte-tap.js';
import { datagramChannels, socketChannels } from '../observe/channels.js';
import { liveSockets } from '../observe/live.js';
import type {
  DatagramCloseMessage,
  DatagramErrorMessage,
  SocketCloseMessage,
  SocketErrorMessage,
  SocketHoldMessage,
  SocketOpenMessage,
  SocketReleaseMessage,
} from '../observe/messages.js';
import type { Sender } from '../pcapng/flags.js';
import { controlOf, type Socket } from '../socket.js';
import { describeConnection, type PacketEnds, packetEnds } from './addresses.js';
import { clockOf, wallClock } from './clock.js';
import { DatagramRecorder } from './datagram-recorder.js';
import type { Output } from './output.js';
import { SocketRecorder } from './socket-recorder.js';
import { TcpRecorder } from './tcp-recorder.js';

/** A socket of `@rxsock/udp`, as far as it is needed here. */
export type ObservedDatagrams = Pick<Socket, 'local'>;

/** Which sockets are captured. */
export interface CaptureSource {
  readonly has: (socket: object) => boolean;
  /** Those that exist now. */
  readonly sockets: () => Iterable<Socket>;
}

/** The packets of a connection, and the socket whose bytes they are. */
interface Recorded {
  readonly packets: TcpRecorder;
  readonly socket: Socket;
}

export class Recorders implements ByteTap<Socket> {
  readonly #output: Output;
  readonly #isWanted: CaptureSource['has'];
  readonly #sockets = new Map<Socket, SocketRecorder>();
  readonly #datagrams = new Map<object, DatagramRecorder>();
  /** By the addresses of both ends: the second end of a connection inside this process finds the first one. */
  readonly #connections = new Map<string, Recorded>();
  readonly #now: () => number = wallClock();
  #count = 0;
  readonly #detach: (() => void)[] = [];

  constructor(output: Output, source: CaptureSource) {
    this.#output = output;
    this.#isWanted = source.has;
    const { open, hold, release, error, close } = socketChannels;
    this.#on(open.name, (message: SocketOpenMessage<Socket>) => this.#opened(message.socket));
    this.#on(hold.name, ({ socket }: SocketHoldMessage<Socket>) => this.#recorderOf(socket)?.held(socket.holds));
    this.#on(release.name, ({ socket }: SocketReleaseMessage<Socket>) => this.#recorderOf(socket)?.released());
    this.#on(error.name, (message: SocketErrorMessage<Socket>) => this.#failed(message));
    this.#on(close.name, (message: SocketCloseMessage<Socket>) => this.#closed(message));
    this.#on(datagramChannels.error.name, (message: DatagramErrorMessage<ObservedDatagrams>) =>
      this.#datagramRecorderOf(message.socket)?.note(`error: ${message.error.code}: ${message.error.message}`),
    );
    this.#on(datagramChannels.close.name, ({ socket }: DatagramCloseMessage<ObservedDatagrams>) => {
      this.#datagrams.delete(socket);
    });
    this.#detach.push(tapBytes<Socket>(this));
    for (const socket of source.sockets()) this.#recorderOf(socket);
  }

  /** The sockets that are recorded. */
  get sockets(): Iterable<Socket> {
    return this.#sockets.keys();
  }

  /** The real time, in microseconds since the epoch. */
  now(): number {
    return this.#now();
  }

  stop(): void {
    for (const detach of this.#detach) detach();
    this.#sockets.clear();
    this.#datagrams.clear();
    this.#connections.clear();
  }

  // What a subscriber of a channel throws would end the process.
  #on<M>(name: string | symbol, listener: (message: M) => void): void {
    const onMessage = (message: unknown) => guarded(() => listener(message as M));
    subscribe(name, onMessage);
    this.#detach.push(() => void unsubscribe(name, onMessage));
  }

  // ---- ByteTap

  received(socket: Socket, bytes: Uint8Array): void {
    this.#recorderOf(socket)?.received(bytes);
  }

  receivedEnd(socket: Socket): void {
    this.#recorderOf(socket)?.receivedEnd();
  }

  sent(socket: Socket, bytes: Uint8Array): void {
    this.#recorderOf(socket)?.sent(bytes);
  }

  sentEnd(socket: Socket): void {
    this.#recorderOf(socket)?.sentEnd();
  }

  datagramReceived(socket: ObservedDatagrams, bytes: Uint8Array, remote: Endpoint): void {
    this.#datagramRecorderOf(socket)?.received(socket.local, bytes, remote as InternetEndpoint);
  }

  datagramSent(socket: ObservedDatagrams, bytes: Uint8Array, remote: DatagramDestination): void {
    this.#datagramRecorderOf(socket)?.sent(socket.local, bytes, remote);
  }

  // ---- sockets

  #opened(socket: Socket): void {
    if (this.#isWanted(socket)) this.#record(socket, true);
  }

  #failed({ socket, error }: SocketErrorMessage<Socket>): void {
    // A dial that has failed has no packets.
    this.#sockets.get(socket)?.failed(error);
  }

  #closed({ socket, report }: SocketCloseMessage<Socket>): void {
    const recorder = this.#sockets.get(socket);
    if (!recorder) return;
    recorder.closed(report);
    this.#sockets.delete(socket);
    const key = keyOf(recorder.ends);
    if (this.#connections.get(key)?.socket === socket) this.#connections.delete(key);
  }

  /** Returns the recorder of a socket. One that was open before the capture is recorded from now on. */
  #recorderOf(socket: Socket): SocketRecorder | undefined {
    const known = this.#sockets.get(socket);
    if (known || !this.#isWanted(socket)) return known;
    if (socket.openedAt === undefined || socket.readyState === 'closed') return undefined;
    return this.#record(socket, false);
  }

  #record(socket: Socket, fromBeginning: boolean): SocketRecorder {
    const { role, limits } = controlOf(socket);
    const { local, remote, type, bytesRead, bytesWritten } = socket;
    const side: Sender = role === 'server' ? 'server' : 'client';
    const [client, server] = side === 'client' ? [local, remote] : [remote, local];
    const ends = packetEnds(client, server, this.#count++);
    const key = keyOf(ends);
    const first = ends.areReal ? this.#connections.get(key) : undefined;
    const isSecond = first !== undefined && controlOf(first.socket).role !== role;
    if (isSecond) first.packets.hasBothEnds = true;
    const sent =
      side === 'client' ? { client: bytesWritten, server: bytesRead } : { client: bytesRead, server: bytesWritten };
    const packets = isSecond
      ? first.packets
      : new TcpRecorder(this.#output, {
          ...ends,
          description: describeConnection(type, client, server),
          sent: fromBeginning ? undefined : sent,
          now: clockOf(limits.scheduler, this.#now),
        });
    if (!isSecond) this.#connections.set(key, { packets, socket });
    const recorder = new SocketRecorder(packets, side, ends);
    // A stream in memory is not listed, and publishes nothing, if nobody observed when it opened.
    liveSockets.add(socket);
    this.#sockets.set(socket, recorder);
    return recorder;
  }

  // ---- datagrams

  #datagramRecorderOf(socket: object): DatagramRecorder | undefined {
    const known = this.#datagrams.get(socket);
    if (known || !this.#isWanted(socket)) return known;
    const recorder = new DatagramRecorder(this.#output, this.#now);
    this.#datagrams.set(socket, recorder);
    return recorder;
  }
}

function keyOf({ client, server }: PacketEnds): string {
  return `${formatEndpoint(client)} ${formatEndpoint(server)}`;
}
