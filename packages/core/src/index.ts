// Everything a user of @rxsock/core imports.

// TCP

export { type ConnectOptions, connect, type TcpOptions } from './connect.js';
export { type ListenOptions, listen } from './listen.js';

// What they give

export type { ReadyState } from './engine/connection.js';
export type { SocketOptions } from './engine/options.js';
export type { TransportType } from './engine/transport.js';
export { Server, type ServerState } from './server.js';
export { Socket } from './socket.js';

// What those tell

export { type Endpoint, formatEndpoint, type InternetEndpoint, type PathEndpoint } from './endpoint.js';
export * from './errors.js';
export type * from './events.js';

// Events and bytes

export { connections } from './operators/connections.js';
export { data } from './operators/data.js';
export { decodeText } from './operators/decode-text.js';
export { discard } from './operators/discard.js';
export { on } from './operators/on.js';
export { opened } from './operators/opened.js';
export { Reader, type ReaderOptions, reader } from './reader/reader.js';

// Writing, and both ways

export { relay } from './operators/relay.js';
export { type Answer, type ServeOperator, type ServeOptions, serve } from './operators/serve.js';
export { through } from './operators/through.js';
export { type EndOptions, type WriteProgress, writeTo } from './operators/write-to.js';

// Backpressure

export type { Flow, Release } from './flow.js';
export { Flowable } from './flowable.js';
export { type MapWithBackpressureOptions, mapWithBackpressure } from './operators/map-with-backpressure.js';

// Framing: operators

export { type DecodeOptions, decode } from './operators/decode.js';
export { decodeEach } from './operators/decode-each.js';
export { delimited } from './operators/delimited.js';
export { encode } from './operators/encode.js';
export { fixedLength } from './operators/fixed-length.js';
export { Framed, framed } from './operators/framed.js';
export { jsonLines } from './operators/json-lines.js';
export { lengthPrefixed } from './operators/length-prefixed.js';
export { lines } from './operators/lines.js';
export { netstrings } from './operators/netstrings.js';

// Framing: codecs

export type { BytesCodec, Chunk, Codec, Decoder } from './framing/codec.js';
export { type DelimitedOptions, delimitedCodec } from './framing/delimited.js';
export { fixedLengthCodec } from './framing/fixed-length.js';
export { type JsonLinesOptions, jsonLinesCodec } from './framing/json-lines.js';
export type { ByteOrder, LengthField } from './framing/length-field.js';
export { type LengthPrefixedOptions, lengthPrefixedCodec } from './framing/length-prefixed.js';
export { type LinesOptions, linesCodec } from './framing/lines.js';
export { type NetstringsOptions, netstringsCodec } from './framing/netstrings.js';
export type { Oversize, Trailing } from './framing/options.js';

// Files

export { type SaveProgress, saveTo } from './files/save-to.js';
export { type SendFileOptions, type SendFileProgress, sendFile } from './files/send-file.js';
export { sendFrom } from './files/send-from.js';

// From and to other kinds of streams

export { type PullOptions, toAsyncIterable } from './streams/async-iterable.js';
export { flowFrom } from './streams/flow-from.js';
export { fromDuplex } from './streams/from-duplex.js';
export type { Pullable } from './streams/pull.js';
export { toDuplex } from './streams/to-duplex.js';
export { type ToReadableOptions, toReadable } from './streams/to-readable.js';
export { toReadableStream, toWritableStream } from './streams/web.js';

// Names and addresses

export type { LookupOptions } from './names/ask.js';
export type { HostAddress } from './names/family.js';
export { type ResolveHostOptions, resolveHost, reverseLookup } from './names/hosts.js';
export { type LocalAddress, type LocalAddressesOptions, localAddresses } from './names/local-addresses.js';
export { isPortFree, type PortFreeOptions } from './names/port-free.js';
export { type ServicePortOptions, servicePort } from './names/service-port.js';

// Sockets by name, and what they say of themselves

export type { CloseOptions, Member } from './member.js';
export { type MemberSnapshot, type Snapshot, type SocketSnapshot, snapshot } from './registry/snapshot.js';
export { SocketGroup, type SocketGroupEvent } from './registry/socket-group.js';
export { SocketRegistry } from './registry/socket-registry.js';

// What outlives a connection

export type { BackoffOptions } from './lasting/backoff.js';
export { ConnectionPool, connectionPool } from './lasting/connection-pool.js';
export { PoolError, type PoolErrorCode, ReconnectError } from './lasting/errors.js';
export type { LinkState } from './lasting/link-keeper.js';
export type { ConnectionPoolOptions } from './lasting/pool-options.js';
export { Reconnecting, reconnect } from './lasting/reconnect.js';
export type { DisconnectEvent, OverflowEvent, ReconnectEvent, RetryEvent } from './lasting/reconnect-events.js';
export type { ReconnectOptions } from './lasting/reconnect-options.js';

// One process and the next

export {
  AlreadyRunningError,
  ForeignListenerError,
  HandOverError,
  type HandOverErrorCode,
  InheritedListenersError,
  type InheritedListenersErrorCode,
} from './process/errors.js';
export { type HandedOver, type HandOverOptions, handOver } from './process/hand-over.js';
export {
  type InheritedListener,
  type InheritedListenersOptions,
  inheritedListeners,
} from './process/inherited-listeners.js';
export type { AcquiredEvent, InstanceEvent, LaunchEvent } from './process/instance-events.js';
export { type InstanceOptions, type SingleInstanceOptions, singleInstance } from './process/single-instance.js';
