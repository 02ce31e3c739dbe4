// A client of MQTT with QoS 1: a message is sent on one connection after another until the server acknowledges it.
import { exchange, framed, type ReconnectEvent, reconnect, type Socket } from '@rxsock/core';
import { AlertError, CertificateError } from '@rxsock/tls';
import * as rx from 'rxjs';
import { type MqttPacket, mqttCodec } from '../codecs/mqtt.js';
import { logIn, RefusedError } from '../codecs/mqtt-login.js';

export interface MqttOptions {
  /** The server ends the connection of another client with the same name. */
  readonly clientId: string;
  /** The topics to subscribe to: a filter such as `sensors/#`. */
  readonly filter: string;
  /** How often to ask the server whether it is still there, and how long any answer may take, in seconds. */
  readonly keepAlive: number;
  readonly signal?: AbortSignal;
}

/** Connects, and connects again: then it subscribes again, and sends again what was not acknowledged. */
export function mqtt(connect: () => Socket, { clientId, filter, keepAlive, signal }: MqttOptions) {
  const setup = (socket: Socket) => logIn(socket, clientId, keepAlive);
  const link = reconnect(connect, { setup, shouldRetry, signal, backoff: { initial: 50, max: 2_000 } });
  const packets = framed(link, mqttCodec);
  const rpc = exchange(packets, {
    key: (packet) => ('id' in packet ? packet.id : packet.type.replace('resp', 'req')),
    isPush: ({ type }) => type === 'publish',
    timeout: keepAlive * 1_000,
  });
  let ids = 0;
  const nextId = () => (ids++ % 0xffff) + 1;

  /** An answer that does not come ends its connection. What waits is sent on the next one. */
  const again = (error: unknown) => {
    if (link.readyState === 'open') link.socket?.error(error);
    return link.readyState === 'closed' ? rx.throwError(() => error) : rx.of(error);
  };

  /** Publishes a message, and emits its acknowledgement. If you leave before, the server may have it or not. */
  function publish(topic: string, payload: Buffer): rx.Observable<MqttPacket> {
    return rx.defer(() => {
      const packet = { type: 'publish', topic, payload, id: nextId() } as const;
      mqttCodec.encode(packet); // throws for what no connection can send
      let attempts = 0;
      const attempt = rx.defer(() => rpc.request({ ...packet, dup: attempts++ > 0 }));
      return attempt.pipe(rx.retry({ delay: again }));
    });
  }

  const subscribe = rx
    .defer(() => rpc.request({ type: 'subscribe', id: nextId(), filter }))
    .pipe(
      rx.tap((answer) => {
        if (answer.type === 'suback' && answer.code > 1) link.error(new Error(`The server refuses ${filter}`));
      }),
    );
  const ping = rx.interval(keepAlive * 1_000).pipe(rx.concatMap(() => rpc.request({ type: 'pingreq' })));
  // On every connection, before what waits for it.
  const onConnection = rx.merge(subscribe, ping).pipe(rx.catchError(again));
  const states = link.readyStates.pipe(rx.switchMap((state) => (state === 'open' ? onConnection : rx.EMPTY)));
  states.subscribe({ error: () => {} }); // the error of `events`

  /** Emits each message, and then acknowledges it. Subscribe once. */
  const messages = rpc.unsolicited.pipe(
    rx.filter((packet) => packet.type === 'publish'),
    rx.concatMap((packet) => rx.of(packet).pipe(rx.finalize(() => acknowledge(packet.id)))),
  );
  const acknowledge = (id: number | undefined) => id === undefined || packets.next({ type: 'puback', id });

  const close = () => {
    packets.next({ type: 'disconnect' });
    return link.close();
  };
  return { publish, close, messages, events: link as rx.Observable<ReconnectEvent> };
}

/** Another attempt changes neither a certificate nor a name. */
function shouldRetry(error: Error | undefined): boolean {
  if (error?.cause instanceof RefusedError) return error.cause.mayPass;
  return !(error instanceof CertificateError || error instanceof AlertError);
}
