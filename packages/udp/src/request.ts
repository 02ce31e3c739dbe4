// request(): one datagram out, one reply in.
import { type Chunk, SocketError, SocketTimeoutError } from '@rxsock/core';
import { checkLimit, Deadline } from '@rxsock/core/internal';
import { ignoreElements, Observable, tap, throwIfEmpty } from 'rxjs';
import { toDatagram } from './datagram.js';
import { sendError } from './errors.js';
import type { Datagram, DatagramEvent, Message } from './events.js';
import { canonical } from './names.js';
import { bindingOf, type DatagramSocket } from './socket.js';

/** Options of {@link request}. */
export interface RequestOptions {
  /** Whether this is the reply; asked about datagrams from the right address and port only. @defaultValue any is */
  readonly match?: (reply: Message) => boolean;
  /** How long each attempt waits for the reply, in milliseconds; 0 = for ever. @defaultValue 1,000 */
  readonly timeout?: number;
  /** How often it is sent again when no reply came; Infinity = until one comes. @defaultValue 2 */
  readonly retries?: number;
}

/**
 * Sends a datagram and emits the one reply to it, which comes from where the datagram went to and which `match` takes;
 * datagrams from anybody else are ignored. Each subscription is a request of its own. Where several are under way to the
 * same address, `match` has to tell their replies apart. Groups and broadcast addresses never reply: use `on('message')`.
 *
 * A refused datagram counts as one without a reply, as the peer may just be starting, unless it was the last attempt.
 * Whatever else keeps it from leaving is the end of the request; the socket goes on. A socket that has no other
 * subscriber closes after the reply.
 *
 * @throws TypeError or RangeError at the call, for what means nothing. As notifications: {@link SocketTimeoutError} after the
 * last attempt, {@link SocketError} with the code of `sendError` (`ECONNREFUSED`, `EMSGSIZE`, `ENOTFOUND`) or of the
 * socket's own end (`ERR_SOCKET_CLOSED` where it just closed), and what `match` throws.
 *
 * @example
 * ```ts
 * import { connect, request } from '@rxsock/udp';
 * import { firstValueFrom } from 'rxjs';
 *
 * const time = connect({ host: 'localhost', port: 37 });
 * const { data } = await firstValueFrom(request(time, '', { timeout: 500 }));
 * console.log(data.readUInt32BE());
 * ```
 */
export function request<D extends Chunk | Datagram>(
  socket: DatagramSocket<D>,
  datagram: D,
  options: RequestOptions = {},
): Observable<Message> {
  const { match = () => true, timeout = 1000, retries = 2 } = options;
  const port = bindingOf(socket);
  const { data, remote } = toDatagram(datagram, port.setup);
  checkLimit('timeout', timeout);
  checkLimit('retries', retries);
  return new Observable((subscriber) => {
    let left = retries;
    /** The address of the peer; what comes before it is known is no reply. */
    let peer: string | undefined;

    const isReply = ({ remote: { address, port } }: Message) =>
      peer !== undefined && port === remote.port && canonical(address) === canonical(peer);
    const failed = (error: SocketError) => {
      if (error.code !== 'ECONNREFUSED' || left <= 0) subscriber.error(error);
    };
    const send = () => {
      if (peer === undefined || subscriber.closed) return;
      port.send({ data, remote: { address: peer, port: remote.port } }, (error) => error && failed(error));
    };
    const resolve = async () => {
      try {
        peer = await port.resolve(remote.address);
        send();
      } catch (error) {
        subscriber.error(sendError(error as Error, { data, remote }));
      }
    };
    const hear = (event: DatagramEvent) => {
      if (event.type === 'listening') resolve();
      if (event.type === 'sendError' && !event.datagram) failed(event.error);
      if (event.type !== 'message' || !isReply(event) || !match(event)) return;
      subscriber.next(event);
      subscriber.complete();
    };
    const deadline = new Deadline(port.setup.limits.scheduler, timeout, () => {
      if (left-- > 0) {
        send();
        deadline.start();
        return;
      }
      const message = `No reply from ${remote.address} port ${remote.port} within ${timeout} ms, the timeout of the request, after ${retries + 1} attempts`;
      subscriber.error(new SocketTimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds: timeout }));
    });

    subscriber.add(() => deadline.stop());
    deadline.start();
    const closed = () => {
      const options = { code: 'ERR_SOCKET_CLOSED', phase: 'read' } as const;
      return new SocketError('The socket closed before the reply: bind() keeps one open', options);
    };
    socket.pipe(tap(hear), ignoreElements(), throwIfEmpty(closed)).subscribe(subscriber);
  });
}
