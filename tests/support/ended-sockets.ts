// Uses sockets to an echo server and ends them in several ways: for tests that nothing is left behind.
import { data, type Socket, through } from '@rxsock/core';
import { firstValueFrom, lastValueFrom, of } from 'rxjs';
import { expect } from 'vitest';

/** Uses a socket that has not dialled yet, ends it in one of five ways, and waits until it is closed. */
export async function useAndEnd(socket: Socket, way: number): Promise<void> {
  switch (way % 5) {
    case 0:
      expect(`${await lastValueFrom(of('hello').pipe(through(socket)))}`).toBe('hello');
      break;
    case 1:
      await socket.write('hello');
      socket.error();
      break;
    case 2:
      socket.next('hello');
      socket.subscribe().unsubscribe();
      break;
    case 3:
      socket.subscribe({ error: () => {} }).unsubscribe();
      break;
    default: {
      const first = firstValueFrom(socket.pipe(data()));
      socket.next('hello');
      await first;
    }
  }
  await socket.close();
}
