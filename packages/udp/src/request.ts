// request(): one datagram out, one reply in.
import { type Chunk, SocketError, TimeoutError } from '@rxsock/core';
import { checkLimit } from '@rxsock/core/internal';
import { ignoreElements, Observable, tap } from 'rxjs';
import { canonical } from './address.js';
import type { Datagram, DatagramEvent, Message } from './events.js';
import { sendError } from './failures.js';
import { type Item, toItem } from './item.js';
import { checkWhole } from './options.js';
import type { Port } from './port.js';
import { type DatagramSocket, portOf } from './socket.js';
import { settleable, timer } from './timer.js';

const REFUSED = 'ECONNREFUSED';

/** Options of {@link request}. */
export interface RequestOptions {
  /** Whether this is the reply; asked about datagrams from the right address and port only. @defaultValue any is */
  readonly match?: (reply: Message) => boolean;
  /** How long each attempt waits for the reply, in milliseconds; 0 = for ever. @defaultValue 1,000 */
  readonly timeout?: number;
  /** How often it is sent again when no reply came. @defaultValue 2 */
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
 * @throws TypeError or RangeError at the call, for what means nothing. As notifications: {@link TimeoutError} after the
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
  const port = portOf(socket);
  const item = toItem(datagram, port.setup);
  checkLimit('timeout', timeout);
  checkWhole('retries', retries, 0, Number.MAX_SAFE_INTEGER);
  return new Observable((subscriber) => {
    const { address, port: number } = item.datagram.remote;
    let left = retries;
    let sending = false;
    /** Where the datagram went; what comes before it is known is no reply. */
    let peer: string | undefined;

    const isReply = ({ remote }: Message) => remote.port === number && canonical(remote.address) === peer;
    const failed = (error: SocketError) => {
      if (error.code !== REFUSED || left === 0) subscriber.error(error);
    };
    const hear = (event: DatagramEvent) => {
      // A connected peer refused a datagram that was out.
      if (event.type === 'sendError' && !event.datagram && event.error.code === REFUSED) failed(event.error);
      if (event.type !== 'message' || !isReply(event) || !match(event)) return;
      subscriber.next(event);
      subscriber.complete();
    };
    const send = async () => {
      await port.opened.promise;
      const found = port.remote?.address ?? (await resolved(port, item));
      peer = canonical(found);
      if (subscriber.closed) return;
      await socket.send((port.remote ? datagram : { data: item.bytes, remote: { address: found, port: number } }) as D);
    };
    const attempt = () => {
      const expired = () => {
        if (left-- > 0) return attempt();
        const message = `No reply from ${address} port ${number} within ${timeout} ms, the timeout of the request, after ${retries + 1} attempts`;
        subscriber.error(new TimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds: timeout }));
      };
      subscriber.add(timer(port.setup.limits.scheduler, timeout, expired));
      if (sending) return;
      sending = true;
      send()
        .catch(failed)
        .finally(() => {
          sending = false;
        });
    };

    subscriber.add(
      socket.pipe(tap(hear), ignoreElements()).subscribe({
        error: (error) => subscriber.error(error),
        complete: () => {
          const options = { code: 'ERR_SOCKET_CLOSED', phase: 'read' } as const;
          subscriber.error(new SocketError('The socket closed before the reply: bind() keeps one open', options));
        },
      }),
    );
    attempt();
  });
}

/** The address for a name; that there is none is told like every other failure to send. */
function resolved(port: Port, item: Item): Promise<string> {
  const { promise, resolve, reject } = settleable<string>();
  port.outbox.resolve(item.datagram.remote.address, (error, found) =>
    error ? port.outbox.fail({ ...item, settle: reject }, sendError(error, item)) : resolve(found),
  );
  return promise;
}
