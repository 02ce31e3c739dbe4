// A client of MQTT with QoS 1: a message is sent on one connection after another until the server acknowledges it.
import { inspect } from 'node:util';
import { type Exchange, type ReconnectEvent, reader, reconnect, type Socket } from '@rxsock/core';
import { catchError, concatMap, defer, interval, NEVER, type Observable, Subject, switchMap, take } from 'rxjs';
import { type MqttPacket, mqttCodec, type PublishPacket } from '../codecs/mqtt.js';
import { exchanges } from './exchanges.js';

const SERVER_UNAVAILABLE = 3;

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
  const link = reconnect(connect, { setup, signal, backoff: { initial: 50, max: 2_000 } });
  const { connection, unsolicited } = exchanges(link, mqttCodec, {
    key: (packet) => ('id' in packet ? packet.id : packet.type.replace('resp', 'req')),
    isPush: ({ type }) => type === 'publish',
    timeout: keepAlive * 1_000,
  });
  const messages = new Subject<PublishPacket>();
  let lastId = 0;

  async function setup(socket: Socket): Promise<void> {
    using packets = reader(socket);
    socket.next(mqttCodec.encode({ type: 'connect', clientId, cleanSession: false, keepAlive }));
    const answer = await packets.readFrame(mqttCodec);
    if (answer?.type === 'connack' && answer.code === 0) return;
    const error = new Error(`The server does not accept this client: ${inspect(answer)}`);
    // It will not like our name later, but it may be available again.
    if (answer?.type === 'connack' && answer.code !== SERVER_UNAVAILABLE) link.error(error);
    throw error;
  }

  /** Runs on one connection after another. What fails ends its connection, and runs again on the next one. */
  function onEach<R>(run: (rpc: Exchange<MqttPacket>) => Observable<R>): Observable<R> {
    return connection.pipe(
      switchMap((current) => {
        if (!current) return NEVER;
        return run(current.rpc).pipe(
          catchError((error) => {
            current.frames.error(error);
            return NEVER;
          }),
        );
      }),
    );
  }

  function nextId(): number {
    lastId = (lastId % 0xffff) + 1;
    return lastId;
  }

  /** Publishes a message, and emits its acknowledgement. If you leave before, the server may have it or not. */
  function publish(topic: string, payload: Buffer): Observable<MqttPacket> {
    return defer(() => {
      const packet = { type: 'publish', topic, payload, id: nextId() } as const;
      mqttCodec.encode(packet); // throws for what no connection can send
      let dup = false;
      return onEach((rpc) => {
        const reply = rpc.request({ ...packet, dup });
        dup = true;
        return reply;
      }).pipe(take(1));
    });
  }

  // Before all others, so that it is the first packet on every connection.
  onEach((rpc) => rpc.request({ type: 'subscribe', id: nextId(), filter })).subscribe({
    next: (answer) => {
      if (answer.type === 'suback' && answer.code > 1) link.error(new Error(`The server refuses ${filter}`));
    },
    error: () => {}, // that of `events`
  });
  const pings = onEach((rpc) => interval(keepAlive * 1_000).pipe(concatMap(() => rpc.request({ type: 'pingreq' }))));
  pings.subscribe({ error: () => {} });
  unsolicited.subscribe((packet) => {
    if (packet.type !== 'publish') return;
    messages.next(packet);
    if (packet.id !== undefined) link.next(mqttCodec.encode({ type: 'puback', id: packet.id }));
  });

  function close(): Promise<void> {
    link.next(mqttCodec.encode({ type: 'disconnect' }));
    return link.close();
  }

  return { publish, close, messages: messages.asObservable(), events: link as Observable<ReconnectEvent> };
}
