// The entry point @rxsock/core: what users import. registry, lookup, process, testing and fast-check have entry points
// of their own. The sibling packages import internal.ts as well.

// TCP

export { type ConnectOptions, connect, type TcpOptions } from './connect.js';
export type { Connector } from './dial/connector.js';
export { type ListenOptions, listen } from './listen.js';
export type { ProxyHeaderOptions } from './proxy-protocol/encode.js';
export type { Proxied, ProxyTlv } from './proxy-protocol/proxied.js';
export type { ProxyProtocolOptions } from './proxy-protocol/trusted.js';

// Sockets and servers

export type { Chunk } from './base/bytes.js';
export { type Endpoint, formatEndpoint, type InternetEndpoint, type PathEndpoint } from './base/endpoint.js';
export type { ReadyState } from './engine/connection-machine.js';
export type { KeepAliveOptions } from './engine/keep-alive.js';
export type { SocketOptions } from './engine/limits.js';
export { type MemoryBudget, memoryBudget } from './engine/memory-budget.js';
export type { TransportType } from './engine/transport.js';
export { Server, type ServerState } from './server/server.js';
export { Socket } from './socket.js';

// Events

export type {
  CloseEvent,
  CloseReport,
  ConnectEvent,
  ConnectionAttemptEvent,
  ConnectionAttemptFailedEvent,
  DataEvent,
  DrainEvent,
  EndEvent,
  EventOf,
  FinishEvent,
  LookupEvent,
  SecureConnectEvent,
  SocketEvent,
  TimeoutEvent,
} from './base/events.js';
export type {
  ConnectionErrorEvent,
  ConnectionEvent,
  DrainingEvent,
  DropEvent,
  ListeningEvent,
  ServerCloseEvent,
  ServerEvent,
} from './server/events.js';

// Errors

export {
  AbortedError,
  BackpressureOverflowError,
  type ConnectAttempt,
  ConnectError,
  type ErrorPhase,
  FrameError,
  FrameTooLongError,
  JsonLineError,
  MemoryBudgetError,
  ResetError,
  SocketError,
  type SocketErrorOptions,
  SocketTimeoutError,
  TruncatedFrameError,
  WriteBufferOverflowError,
} from './base/errors.js';

// Flow (backpressure)

export type { Flow, Release } from './flow/flow.js';
export type { FlowInput } from './flow/flow-input.js';
export { Flowable } from './flow/flowable.js';
export { type LimitRateOptions, limitRate } from './operators/limit-rate.js';
export { type MapWithBackpressureOptions, mapWithBackpressure } from './operators/map-with-backpressure.js';
export { flowFrom } from './streams/flow-from.js';

// Operators

export { connections } from './operators/connections.js';
export { data } from './operators/data.js';
export { decodeText } from './operators/decode-text.js';
export { discard } from './operators/discard.js';
export { on } from './operators/on.js';
export { opened } from './operators/opened.js';
export { relay } from './operators/relay.js';
export { type HandlerResult, type ServeOperator, type ServeOptions, serve } from './operators/serve.js';
export { through } from './operators/through.js';
export { writeTo } from './operators/write-to.js';
export type { EndOptions, WriteProgress } from './transfer/whole-write.js';

// Framing: operators

export { type DecodeOptions, decode } from './operators/decode.js';
export { decodeEach } from './operators/decode-each.js';
export { delimited } from './operators/delimited.js';
export { encode } from './operators/encode.js';
export { type Exchange, exchange } from './operators/exchange.js';
export type { ExchangeOptions } from './operators/exchange-options.js';
export { fixedLength } from './operators/fixed-length.js';
export { Framed, framed } from './operators/framed.js';
export { jsonLines } from './operators/json-lines.js';
export { lengthPrefixed } from './operators/length-prefixed.js';
export { lines } from './operators/lines.js';
export { netstrings } from './operators/netstrings.js';

// Framing: codecs

export { ByteQueue } from './framing/byte-queue.js';
export type { BytesCodec, Codec, Decoder } from './framing/codec.js';
export { type DelimitedOptions, delimitedCodec } from './framing/delimited.js';
export { fixedLengthCodec } from './framing/fixed-length.js';
export { FrameDecoder } from './framing/frame-decoder.js';
export { type JsonLinesOptions, jsonLinesCodec } from './framing/json-lines.js';
export type { ByteOrder, LengthField } from './framing/length-field.js';
export {
  type HeaderCodec,
  type HeaderFrame,
  type HeaderFrameOptions,
  type LengthPrefixedOptions,
  lengthPrefixedCodec,
} from './framing/length-prefixed.js';
export { type LinesOptions, linesCodec } from './framing/lines.js';
export { type FrameMapping, mapCodec } from './framing/map-codec.js';
export { type NetstringsOptions, netstringsCodec } from './framing/netstrings.js';
export type { OversizePolicy, TrailingPolicy } from './framing/options.js';

// Files

export { type SaveProgress, saveTo } from './transfer/save-to.js';
export type { SaveToOptions } from './transfer/save-to-options.js';
export { type SendFileOptions, type SendFileProgress, sendFile } from './transfer/send-file.js';
export { sendFrom } from './transfer/send-from.js';

// Streams: of Node, of the Web, and async iterables

export { type ToAsyncIterableOptions, toAsyncIterable } from './streams/async-iterable.js';
export { fromDuplex } from './streams/from-duplex.js';
export { type SocketDuplex, toDuplex } from './streams/to-duplex.js';
export { type ToReadableOptions, toReadable } from './streams/to-readable.js';
export { toReadableStream, toWritableStream } from './streams/web.js';

// Reader

export { Reader, type ReaderOptions, reader } from './reader/reader.js';

// Reconnecting

export type { BackoffOptions } from './reconnect/backoff.js';
export { ReconnectError } from './reconnect/errors.js';
export { reconnect } from './reconnect/reconnect.js';
export type { DisconnectEvent, OverflowEvent, ReconnectEvent, RetryEvent } from './reconnect/reconnect-events.js';
export type { ReconnectState } from './reconnect/reconnect-loop.js';
export type { ReconnectOptions } from './reconnect/reconnect-options.js';
export { ReconnectingSocket } from './reconnect/reconnecting-socket.js';

// Pool

export { ConnectionPool, connectionPool } from './pool/connection-pool.js';
export { PoolError, type PoolErrorCode } from './pool/errors.js';
export type { ConnectionPoolOptions } from './pool/pool-options.js';
