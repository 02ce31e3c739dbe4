// SocketRegistry: sockets by name, and groups of them by pattern.
import { inspect } from 'node:util';
import { SocketError } from '../base/errors.js';
import { checkRegistrable, type Registrable } from '../base/registrable.js';
import type { Socket } from '../socket.js';
import { glob, hasWildcard } from './glob.js';
import { SocketGroup } from './socket-group.js';

/**
 * Sockets by name, and groups of them by pattern. A name is free again as soon as its socket is closed; the registry
 * neither dials sockets nor keeps them open.
 *
 * It holds what its type says: sockets, or servers and datagram sockets, too, as in
 * `new SocketRegistry<Socket | Server | DatagramSocket>()`.
 *
 * @example
 * ```ts
 * import { connections, listen, SocketRegistry } from '@rxsock/core';
 *
 * const sockets = new SocketRegistry();
 * const guests = sockets.match('guest*');
 * let count = 0;
 * listen({ port: 6667 }).pipe(connections()).subscribe((socket) => sockets.add(socket, `guest${++count}`));
 * guests.subscribe(({ socket, event }) => {
 *   if (event.type === 'data') guests.next(`${socket.name}: ${event.data}`); // a chat room
 * });
 * ```
 */
export class SocketRegistry<S extends Registrable = Socket> implements Iterable<S> {
  readonly #sockets = new Map<string, S>();
  readonly #names = new Map<S, string>();
  readonly #followers = new Set<(socket: S, name: string) => void>();

  /**
   * Gives a socket its name here, and sets `socket.name`. A socket that has one already is renamed. One that is closed is
   * named too, but not kept.
   * @returns The socket.
   * @throws TypeError for what is no socket or server, and for a name that is empty or has a wildcard (`*`, `?`) in it; {@link SocketError}
   * `ERR_SOCKET_NAME_TAKEN` while another socket has the name.
   */
  add<T extends S>(socket: T, name: string): T {
    checkRegistrable(socket, 'A registry holds');
    if (typeof name !== 'string' || name === '' || hasWildcard(name))
      throw new TypeError(`A name must be a string, not empty and without * and ?, not ${inspect(name)}`);
    const holder = this.get(name);
    if (holder && holder !== socket) throw taken(name, holder);
    const renamed = this.#names.has(socket);
    this.#free(socket);
    socket.name = name;
    if (socket.readyState === 'closed') return socket;
    this.#sockets.set(name, socket);
    this.#names.set(socket, name);
    if (!renamed) socket.readyStates.subscribe({ complete: () => this.#free(socket) });
    for (const told of [...this.#followers]) told(socket, name);
    return socket;
  }

  /** The socket of this name; `undefined` if there is none. */
  get(name: string): S | undefined {
    const socket = this.#sockets.get(name);
    return socket?.readyState === 'closed' ? undefined : socket;
  }

  /**
   * The sockets whose names match a pattern, now and later: `*` stands for any characters or none, `?` for one, all others
   * for themselves.
   * @throws TypeError for an empty pattern.
   */
  match(pattern: string): SocketGroup<S> {
    const entries = () => this.#entries();
    const follow = (told: (socket: S, name: string) => void) => {
      this.#followers.add(told);
      return () => void this.#followers.delete(told);
    };
    return new SocketGroup<S>({ entries, follow }, glob(pattern));
  }

  /** How many sockets it has. */
  get size(): number {
    return this.names().length;
  }

  /** The names in use, in the order in which they were given. */
  names(): string[] {
    return [...this.#entries()].map(([name]) => name);
  }

  /** The sockets, in the order in which they were named. */
  *[Symbol.iterator](): IterableIterator<S> {
    for (const [, socket] of this.#entries()) yield socket;
  }

  // Without those that are telling their end: their names are free for who reacts to it.
  *#entries(): IterableIterator<[string, S]> {
    for (const entry of this.#sockets) if (entry[1].readyState !== 'closed') yield entry;
  }

  #free(socket: S): void {
    const name = this.#names.get(socket) ?? '';
    this.#names.delete(socket);
    // It may be somebody else's by now.
    if (this.#sockets.get(name) === socket) this.#sockets.delete(name);
  }
}

function taken(name: string, { local, remote }: Registrable): SocketError {
  const message = `The name ${inspect(name)} is taken by a socket that is not closed`;
  return new SocketError(message, { code: 'ERR_SOCKET_NAME_TAKEN', phase: 'open', local, remote });
}
