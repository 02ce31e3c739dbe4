// The bus over NATS. Each process has one connection.
import { connect } from '@nats-io/transport-node';
import { Subject } from 'rxjs';
import type { Bus, BusEvent } from './bus.js';

const SUBJECT = 'rxsock.chat';
/** In milliseconds. */
const RECONNECT_DELAY = 200;

export async function openNatsBus(url: string): Promise<Bus> {
  const events = new Subject<BusEvent>();
  let isUp = true;
  const connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: RECONNECT_DELAY });
  const callback = (_error: unknown, message: { string(): string }) =>
    events.next({ type: 'message', text: message.string() });
  connection.subscribe(SUBJECT, { callback });
  // The server has the subscription.
  await connection.flush();
  void watch();
  return {
    // NATS handles what comes over one connection in order: it sends the message before it answers the flush.
    publish: async (text) => {
      // Otherwise the line would wait in memory and arrive late.
      if (!isUp) throw new Error('The bus is down');
      connection.publish(SUBJECT, text);
      await connection.flush();
    },
    events,
    close: () => connection.close(),
  };

  async function watch(): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type !== 'disconnect' && type !== 'reconnect') continue;
      isUp = type === 'reconnect';
      events.next({ type: isUp ? 'up' : 'down' });
    }
  }
}
