// Listening on a descriptor that this process has inherited.
import type * as net from 'node:net';

/**
 * Begins to listen on a descriptor. Returns whether the server listens now. If not, Node emits an `'error'` later, or
 * the primary process of a cluster listens.
 * @param reason The message of the error if the descriptor cannot listen: Node only reports an invalid argument,
 * whatever the cause.
 */
export function listenOnDescriptor(server: net.Server, fd: number, backlog: number, reason: string): boolean {
  const explain = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EINVAL') error.message = reason;
  };
  server.once('error', explain);
  server.listen({ fd, backlog });
  if (server.listening) server.off('error', explain);
  return server.listening;
}

/** Closes a server that cannot be used. It emits `'error'` first, and then `'close'`. */
export function failServer(server: net.Server, error: Error): void {
  process.nextTick(() => server.emit('error', error));
  server.close();
}
