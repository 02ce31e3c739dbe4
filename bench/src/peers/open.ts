// Opens connections, several at a time. Each sends a message and waits for its echo.
import { once } from 'node:events';
import { type Address, connectRaw, type TransportName } from '../raw.js';

/** How many connections are being opened, or used, at the same time. */
const AT_ONCE = 16;

/**
 * Opens `amount` connections to a server that echoes. Resolves when the last one has had its answer.
 * @param stay Whether they stay open. Otherwise each ends after its answer, and waits for the end of the server.
 */
export async function open(transport: TransportName, address: Address, amount: number, stay: boolean): Promise<number> {
  let left = amount;
  let done = 0;
  const work = async () => {
    while (left-- > 0) {
      const socket = connectRaw(transport, address);
      socket.write('hello');
      await once(socket, 'data');
      // A server that ends may reset what is still open. Nobody waits for that.
      if (stay) socket.on('error', () => {}).pause();
      else await once(socket.end(), 'close');
      done++;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return done;
}
