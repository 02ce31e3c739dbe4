// Everything a user of @rxsock/core imports.

// TCP

export { type ConnectOptions, connect, type TcpOptions } from './connect.js';
export { type ListenOptions, listen } from './listen.js';

// What they give

export type { ReadyState } from './engine/connection.js';
export type { SocketOptions } from './engine/limits.js';
export type { TransportType } from './engine/transport.js';
export { Server, type ServerState } from './server/server.js';
export { Socket } from './socket.js';

// What those tell

export { type Endpoint, formatEndpoint, type InternetEndpoint, type PathEndpoint } from './base/endpoint.js';
export * from './base/errors.js';
export type * from './base/events.js';

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
export { type HandlerResult, type ServeOperator, type ServeOptions, serve } from './operators/serve.js';
export { through } from './operators/through.js';
export { type EndOptions, type WriteProgress, writeTo } from './operators/write-to.js';

// Backpressure

export type { Flow, Release } from './flow/flow.js';
export { Flowable } from './flow/flowable.js';
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
export type { OversizePolicy, TrailingPolicy } from './framing/options.js';

// Files

export { type SaveProgress, saveTo } from './transfer/save-to.js';
export { type SendFileOptions, type SendFileProgress, sendFile } from './transfer/send-file.js';
export { sendFrom } from './transfer/send-from.js';

// From and to other kinds of streams

export type { FlowInput } from './flow/flow-input.js';
export { type ToAsyncIterableOptions, toAsyncIterable } from './streams/async-iterable.js';
export { flowFrom } from './streams/flow-from.js';
export { fromDuplex } from './streams/from-duplex.js';
export { toDuplex } from './streams/to-duplex.js';
export { type ToReadableOptions, toReadable } from './streams/to-readable.js';
export { toReadableStream, toWritableStream } from './streams/web.js';

// Names and addresses

export type { LookupOptions } from './lookup/ask.js';
export type { HostAddress } from './lookup/family.js';
export { type ResolveHostOptions, resolveHost, reverseLookup } from './lookup/hosts.js';
export { type LocalAddress, type LocalAddressesOptions, localAddresses } from './lookup/local-addresses.js';
export { isPortFree, type PortFreeOptions } from './lookup/port-free.js';
export { type ServicePortOptions, servicePort } from './lookup/service-port.js';

// Sockets by name, and what they say of themselves

export type { CloseOptions, Registrable } from './base/registrable.js';
export { type RegistrableSnapshot, type Snapshot, type SocketSnapshot, snapshot } from './registry/snapshot.js';
export { SocketGroup, type SocketGroupEvent } from './registry/socket-group.js';
export { SocketRegistry } from './registry/socket-registry.js';

// What outlives a connection

export { ConnectionPool, connectionPool } from './pool/connection-pool.js';
export type { ConnectionPoolOptions } from './pool/pool-options.js';
export type { BackoffOptions } from './reconnect/backoff.js';
export { PoolError, type PoolErrorCode, ReconnectError } from './reconnect/errors.js';
export { ReconnectingSocket, reconnect } from './reconnect/reconnect.js';
export type { DisconnectEvent, OverflowEvent, ReconnectEvent, RetryEvent } from './reconnect/reconnect-events.js';
export type { ReconnectState } from './reconnect/reconnect-loop.js';
export type { ReconnectOptions } from './reconnect/reconnect-options.js';

// One process and the next

export {
  AlreadyRunningError,
  ForeignListenerError,
  HandOverError,
  type HandOverErrorCode,
  InheritedListenersError,
  type InheritedListenersErrorCode,
} from './process/errors.js';
export { type HandOverOptions, type HandOverServers, handOver } from './process/hand-over.js';
export {
  type InheritedListener,
  type InheritedListenersOptions,
  inheritedListeners,
} from './process/inherited-listeners.js';
export type { AcquiredEvent, InstanceEvent, LaunchEvent } from './process/instance-events.js';
export { type InstanceOptions, type SingleInstanceOptions, singleInstance } from './process/single-instance.js';
