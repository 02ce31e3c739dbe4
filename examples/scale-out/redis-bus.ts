// The bus over Redis pub/sub. Each process has one connection.
import { createClient } from '@redis/client';
import { Subject } from 'rxjs';
import type { Bus, BusEvent } from './bus.js';

const CHANNEL = 'rxsock-chat';
/** In milliseconds. */
const RECONNECT_DELAY = 200;

export async function openRedisBus(url: string): Promise<Bus> {
  const events = new Subject<BusEvent>();
  let joined = false;
  let isUp = false;
  const client = createClient({
    url,
    // A line that cannot be sent now must not wait in memory and arrive late.
    disableOfflineQueue: true,
    socket: { reconnectStrategy: () => joined && RECONNECT_DELAY },
  });
  // There are more of these events than changes: each failed attempt to reconnect is an error.
  const check = () => {
    if (client.isReady === isUp) return;
    isUp = client.isReady;
    events.next({ type: isUp ? 'up' : 'down' });
  };
  client.on('ready', check).on('error', check);
  await client.connect();
  await client.subscribe(CHANNEL, (text) => events.next({ type: 'message', text }));
  joined = true;
  return {
    // Redis sends a message to its subscribers before it answers PUBLISH, and both come here over one connection.
    publish: async (text) => {
      await client.publish(CHANNEL, text);
    },
    events,
    close: async () => {
      if (client.isReady) await client.close();
      else client.destroy();
    },
  };
}
