// The bus over NATS, with one connection for each process.
import { connect } from '@nats-io/transport-node';
import { Subject } from 'rxjs';
import type { Bus, BusEvent } from './bus.js';

const SUBJECT = 'rxsock.chat';

/** Joins the bus. It connects again whenever it loses the server, but not if it has never reached it. */
export async function openNatsBus(url: string): Promise<Bus> {
  const events = new Subject<BusEvent>();
  const connection = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 200 });
  connection.subscribe(SUBJECT, {
    callback: (error, message) => {
      if (!error) events.next({ type: 'message', text: message.string() });
    },
  });
  await connection.flush();
  void watch();
  return {
    // The server handles what comes over one connection in order: it sends the message before it answers the flush.
    publish: async (text) => {
      connection.publish(SUBJECT, text);
      await connection.flush();
    },
    events,
    close: () => connection.close(),
  };

  async function watch(): Promise<void> {
    for await (const { type } of connection.status()) {
      if (type === 'disconnect') events.next({ type: 'down' });
      if (type === 'reconnect') events.next({ type: 'up' });
    }
  }
}
