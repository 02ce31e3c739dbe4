// The options of listen().
import type { SocketOptions, ListenOptions as TcpListenOptions } from '@rxsock/core';
import type { InheritedAddress, UnixAddress } from './address.js';

/** Options of {@link listen} for a server that makes its socket. */
export type NewSocketOptions = UnixAddress & {
  /**
   * The permissions of the file: a process needs the permission to write to connect. The file has exactly this mode
   * from the moment it appears, whatever the umask. For paths only, not for abstract names; Windows ignores it.
   * @defaultValue `0o600`: only the same user may connect
   */
  readonly mode?: number | undefined;
  /**
   * Remove the file that a dead server has left at the path. It must be a socket, not a link to one, and refuse a
   * connection that the server makes to test it. Everything else at the path is `EADDRINUSE`.
   * @defaultValue `false`
   */
  readonly removeStale?: boolean | undefined;
  readonly fd?: undefined;
};

/**
 * Options of {@link listen} for a socket that this process has inherited. Its file and the mode of the file exist
 * already.
 */
export interface InheritedSocketOptions extends InheritedAddress {
  readonly mode?: undefined;
  readonly removeStale?: undefined;
}

/** What a server with `proxyProtocol` expects. */
export interface LocalProxyProtocolOptions {
  /**
   * How long the header may take after the connection was accepted, in milliseconds. 0 and Infinity mean no limit.
   * @defaultValue 10,000
   */
  readonly timeout?: number | undefined;
}

/** Options of {@link listen}: the address, and the options of every accepted socket. */
export type ListenOptions = (NewSocketOptions | InheritedSocketOptions) &
  SocketOptions &
  Pick<TcpListenOptions, 'backlog' | 'maxConnections' | 'claimTimeout'> & {
    /**
     * A proxy is before the server, and begins each connection with a PROXY header: see the option of `listen()` of
     * `@rxsock/core`. The server believes every process that the mode of its file lets connect.
     * @defaultValue none: PROXY headers are bytes like any others
     */
    readonly proxyProtocol?: LocalProxyProtocolOptions | undefined;
  };
