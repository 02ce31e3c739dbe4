// request(): sends one datagram, and emits one reply.
import { type Chunk, SocketError, SocketTimeoutError } from '@rxsock/core';
import {
  ContextSubscriber,
  checkCount,
  checkFunction,
  checkHost,
  checkOptions,
  checkTimeout,
  Deadline,
  formatAddress,
} from '@rxsock/core/internal';
import { ignoreElements, Observable, tap, throwIfEmpty } from 'rxjs';
import { canonicalAddress } from './canonical-address.js';
import { toDatagram } from './datagram.js';
import { sendError } from './errors.js';
import type { Datagram, DatagramEvent, Message } from './events.js';
import { bindingOf, type DatagramSocket } from './socket.js';

/** Options of {@link request}. */
export interface RequestOptions {
  /**
   * Returns `true` for the reply. Called only for datagrams that come from where the request went to.
   * @defaultValue the first one is the reply
   */
  readonly match?: ((reply: Message) => boolean) | undefined;
  /**
   * How long each attempt waits for the reply, in milliseconds; 0 and Infinity wait without limit. To resolve a name and
   * to open the socket may take as long as all attempts, and does not count towards them.
   * @defaultValue 1,000
   */
  readonly timeout?: number | undefined;
  /** How many times to send the datagram again when no reply came; Infinity until one comes. @defaultValue 2 */
  readonly retries?: number | undefined;
}

/**
 * Sends a datagram, emits one reply and completes. The reply comes from the address and port that the datagram went to,
 * and `match` returns `true` for it. Other datagrams are ignored. Without a reply, the datagram is sent again, up to
 * `retries` times.
 *
 * Each subscription is a separate request. If several requests to the same address run at the same time, `match` must
 * recognize the reply to each. Replies to a multicast group or a broadcast address come from other addresses: use
 * `on('message')` for them.
 *
 * If the peer refuses the datagram (`ECONNREFUSED`), the request waits and tries again, because the peer may be
 * starting. Every other failure to send ends the request, but not the socket. A socket that has no other subscriber
 * closes after the reply, unless you have called its `bind()` or `keepOpen` is set.
 *
 * @param socket A socket of {@link bind} or {@link connect}. The request opens it.
 * @param datagram What to send. For a connected socket, a chunk of bytes alone is enough.
 * @param options How to recognize the reply, the timeout of an attempt in milliseconds, and the number of retries.
 * @returns Emits the reply and completes. Unsubscribing gives the request up.
 * @throws At the call: {@link TypeError} if it is not a datagram, or for an option of the wrong type; {@link
 * RangeError} for a number out of range.
 * @throws As a notification: {@link SocketTimeoutError} (`ETIMEDOUT`) after the last attempt; {@link SocketError} if
 * the datagram cannot be sent, with the code of its `sendError` (`EMSGSIZE`, `ENOTFOUND`, …), `ECONNREFUSED` only in
 * the last attempt; {@link SocketError} (`ERR_SOCKET_CLOSED`) if the socket closes before the reply; the error that the
 * socket ends with; what `match` throws.
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
  checkOptions(options, '{ timeout: 500 }');
  const { match = () => true, timeout = 1000, retries = 2 } = options;
  const binding = bindingOf(socket);
  const { data, remote } = toDatagram(datagram, binding.setup);
  const host = checkHost('remote.address', remote.address);
  checkFunction('match', match);
  checkTimeout('timeout', timeout);
  checkCount('retries', retries);
  return new Observable((destination) => {
    // The socket may be shared, and its other users may make a datagram fail.
    const subscriber = new ContextSubscriber(destination);
    let retriesLeft = retries;
    /** The address that `remote` resolved to. Datagrams that arrive before it is known are not replies. */
    let peerAddress: string | undefined;

    const isReply = ({ remote: { address, port } }: Message) =>
      peerAddress !== undefined && port === remote.port && canonicalAddress(address) === canonicalAddress(peerAddress);
    const onSendError = (error: SocketError) => {
      if (error.code !== 'ECONNREFUSED' || retriesLeft <= 0) subscriber.error(error);
    };
    const send = () => {
      if (peerAddress === undefined || subscriber.closed) return;
      const resolved = { data, remote: { address: peerAddress, port: remote.port } };
      binding.send(resolved, (error) => error && onSendError(error));
    };
    const resolveAndSend = async () => {
      try {
        peerAddress = await binding.resolveName(host);
        if (subscriber.closed) return;
        // Before it is sent, nobody can reply.
        retriesLeft = retries;
        deadline.start();
        send();
      } catch (error) {
        subscriber.error(sendError(error as Error, remote));
      }
    };
    const onEvent = (event: DatagramEvent) => {
      if (event.type === 'listening') resolveAndSend();
      // An error without a datagram may be about this one: a refusal by the peer.
      if (event.type === 'sendError' && !event.datagram) onSendError(event.error);
      if (event.type !== 'message' || !isReply(event) || !match(event)) return;
      subscriber.next(event);
      subscriber.complete();
    };
    const deadline = new Deadline(binding.setup.limits.scheduler, timeout, () => {
      if (retriesLeft-- > 0) {
        send();
        deadline.start();
        return;
      }
      if (peerAddress === undefined) return subscriber.error(notSentError(remote, timeout * (retries + 1)));
      const attempts = retries === 0 ? '1 attempt' : `${retries + 1} attempts`;
      const message = `No reply from ${formatAddress(remote.address, remote.port)} after ${attempts} with a timeout of ${timeout} ms`;
      subscriber.error(new SocketTimeoutError(message, { phase: 'read', timeout: 'timeout', milliseconds: timeout }));
    });

    deadline.start();
    // After the start: the subscriber may be closed already.
    subscriber.add(() => deadline.stop());
    const closedError = () => {
      const options = { code: 'ERR_SOCKET_CLOSED', phase: 'read' } as const;
      return new SocketError('The socket closed before the reply: socket.bind() keeps it open', options);
    };
    socket.pipe(tap(onEvent), ignoreElements(), throwIfEmpty(closedError)).subscribe(subscriber);
  });
}

/** @param milliseconds How long it took. */
function notSentError({ address, port }: Datagram['remote'], milliseconds: number): SocketTimeoutError {
  const why = 'its address was not resolved, or the socket not open';
  const message = `The request to ${formatAddress(address, port)} was not sent within ${milliseconds} ms: ${why}`;
  return new SocketTimeoutError(message, { phase: 'write', timeout: 'timeout', milliseconds });
}
