// SocketRegistry: sockets by name, and groups of them by pattern.
import { type InspectOptions, inspect } from 'node:util';
import { typeError } from '../base/check.js';
import { SocketError } from '../base/errors.js';
import { checkRegistrable, type Registrable } from '../base/registrable.js';
import { inspected, plural } from '../observe/inspect.js';
import type { Socket } from '../socket.js';
import { glob, hasWildcard } from './glob.js';
import { type NameListener, SocketGroup } from './socket-group.js';

/**
 * Finds sockets by name, and groups of sockets by a pattern of names. The registry neither dials sockets nor keeps them
 * open. When a socket closes, the registry removes it and its name can be used again.
 *
 * The type parameter says what the registry contains. The default is sockets; servers and datagram sockets work too:
 * `new SocketRegistry<Socket | Server | DatagramSocket>()`.
 *
 * @example
 * ```ts
 * import { connections, listen } from '@rxsock/core';
 * import { SocketRegistry } from '@rxsock/core/registry';
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
  readonly #nameListeners = new Set<NameListener<S>>();

  /**
   * Registers a socket under a name and sets `socket.name`. A socket that is already registered here is renamed. A
   * closed socket gets the name, but is not registered.
   *
   * @param name A string that is not empty and has no wildcard (`*`, `?`).
   * @returns The same socket.
   * @throws At the call: TypeError if `socket` is not a socket or a server, or if the name is not valid;
   * {@link SocketError} (`ERR_SOCKET_NAME_TAKEN`) if another socket that is not closed has the name.
   */
  add<T extends S>(socket: T, name: string): T {
    checkRegistrable(socket, 'SocketRegistry.add()');
    if (typeof name !== 'string' || name === '' || hasWildcard(name))
      throw typeError('name', 'a string that is not empty and has no * or ?', name);
    const current = this.get(name);
    if (current && current !== socket) throw nameTakenError(name, current);
    const renamed = this.#names.has(socket);
    this.#releaseName(socket);
    socket.name = name;
    if (socket.readyState === 'closed') return socket;
    this.#sockets.set(name, socket);
    this.#names.set(socket, name);
    if (!renamed) socket.readyStates.subscribe({ complete: () => this.#releaseName(socket) });
    // A subscriber may give it another name meanwhile: then all listeners know that one.
    for (const onNamed of [...this.#nameListeners]) {
      if (this.#names.get(socket) === name) onNamed(socket, name);
    }
    return socket;
  }

  /** Returns the socket with this name, or `undefined` if there is none. */
  get(name: string): S | undefined {
    const socket = this.#sockets.get(name);
    return socket?.readyState === 'closed' ? undefined : socket;
  }

  /**
   * Returns the group of all sockets whose names match a pattern. The group follows the registry: sockets that get a
   * matching name later join it.
   *
   * @param pattern `*` matches any characters or none, `?` matches one character, every other character matches itself.
   * @throws At the call: TypeError if the pattern is not a string, or is empty.
   */
  match(pattern: string): SocketGroup<S> {
    const entries = () => this.#entries();
    const onNamed = (listener: NameListener<S>) => {
      this.#nameListeners.add(listener);
      return () => void this.#nameListeners.delete(listener);
    };
    return new SocketGroup<S>({ entries, onNamed }, glob(pattern));
  }

  /** The number of registered sockets. */
  get size(): number {
    return this.names().length;
  }

  /** The names in use, in the order in which they were assigned. */
  names(): string[] {
    return [...this.#entries()].map(([name]) => name);
  }

  /** Iterates over the sockets, in the order in which they got their names. */
  *[Symbol.iterator](): IterableIterator<S> {
    for (const [, socket] of this.#entries()) yield socket;
  }

  /** @internal One line for logs. A depth that is asked for, as `{ depth: 1 }`, adds the properties. */
  [inspect.custom](depth: number | null, options: InspectOptions): string {
    return inspected('SocketRegistry', this, depth, options, () => ({
      facts: [plural(this.size, 'socket')],
      more: () => [...this],
    }));
  }

  // Skips sockets that are closed but have not completed `readyStates` yet: a subscriber that reacts to `close` can
  // already use the name again.
  *#entries(): IterableIterator<[string, S]> {
    for (const entry of this.#sockets) if (entry[1].readyState !== 'closed') yield entry;
  }

  #releaseName(socket: S): void {
    const name = this.#names.get(socket) ?? '';
    this.#names.delete(socket);
    // Another socket may have the name by now.
    if (this.#sockets.get(name) === socket) this.#sockets.delete(name);
  }
}

function nameTakenError(name: string, { local, remote }: Registrable): SocketError {
  const message = `The name ${inspect(name)} belongs to a socket that is not closed: choose another name`;
  return new SocketError(message, { code: 'ERR_SOCKET_NAME_TAKEN', phase: 'open', local, remote });
}
