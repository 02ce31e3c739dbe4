// Joins the bus that a URL names.
import type { Bus } from './bus.js';

/**
 * Joins the bus at a URL such as redis://127.0.0.1:6379 or nats://127.0.0.1:4222. A process that has been on the bus
 * connects again whenever it loses it.
 * @throws As a rejection: TypeError for any other URL; Error if nobody answers at the first attempt.
 */
export async function openBus(url: string): Promise<Bus> {
  const { protocol, host } = URL.canParse(url) ? new URL(url) : { protocol: '', host: '' };
  try {
    // The clients are loaded only if they are used.
    if (protocol === 'redis:') return await (await import('./redis-bus.js')).openRedisBus(url);
    if (protocol === 'nats:') return await (await import('./nats-bus.js')).openNatsBus(url);
  } catch (cause) {
    // The error of a name with several addresses has no message.
    const { message, code } = cause as NodeJS.ErrnoException;
    throw new Error(`Cannot join the bus on ${host}: ${message || code}`, { cause });
  }
  throw new TypeError('The bus must be redis://<host>:<port> or nats://<host>:<port>');
}
