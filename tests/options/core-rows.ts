// The rows of @rxsock/core: sockets, operators, files and streams.
import { Duplex } from 'node:stream';
import * as core from '@rxsock/core';
import { httpConnect, socks5 } from '@rxsock/core/proxy';
import { SocketRegistry } from '@rxsock/core/registry';
import { socketPair } from '@rxsock/core/testing';
import { EMPTY, NEVER } from 'rxjs';
import * as kind from './kinds.js';
import {
  dialOptions,
  keepAliveRow,
  listenOptions,
  type Options,
  proxyHeader,
  proxyProtocol,
  type Row,
  row,
  socketOptions,
} from './rows.js';

const idle = () => core.connect({ port: 1 });
const duplex = () => new Duplex({ read: () => {} });
const decodeOptions: Options = { frameTimeout: kind.timeout, scheduler: kind.scheduler };

/** The options of the codecs. */
const delimited: Options = {
  maxLength: kind.size,
  trailing: kind.choice('emit', 'drop', 'error'),
  oversize: kind.choice('error', 'discard'),
};
const lines: Options = { ...delimited, delimiter: kind.choice('\n', '\r\n'), encoding: kind.choice('utf8', 'latin1') };
const jsonLines: Options = { ...delimited, blankLines: kind.choice('skip', 'error') };
const lengthPrefixed: Options = {
  lengthField: kind.required(kind.choice(1, 2, 3, 4, 8, 'varint')),
  byteOrder: kind.choice('big', 'little'),
  offset: kind.position,
  adjustment: kind.integer,
  maxLength: kind.size,
  header: kind.flag,
};
const netstrings: Options = { maxLength: kind.size };

const framing: Row[] = [
  row('core decode', decodeOptions, (options) => core.decode(core.linesCodec(), options)),
  row('core framed', decodeOptions, (options) => core.framed(idle(), core.linesCodec(), options)),
  row(
    'core exchange',
    {
      key: kind.callback,
      isPush: kind.callback,
      isLast: kind.callback,
      timeout: kind.timeout,
      maxPending: kind.size,
      scheduler: kind.scheduler,
    },
    (options) => core.exchange(core.framed(idle(), core.linesCodec()), options),
  ),
  row(
    'core limitRate',
    {
      bytes: kind.required(kind.finiteSize),
      per: kind.duration,
      burst: kind.finiteSize,
      scheduler: kind.scheduler,
    },
    (options) => core.limitRate(options),
    { base: { bytes: 1000 } },
  ),
  row('core fixedLength', decodeOptions, (options) => core.fixedLength(4, options)),
  row('core delimited', { ...delimited, ...decodeOptions }, (options) => core.delimited('\0', options)),
  row('core lines', { ...lines, ...decodeOptions }, (options) => core.lines(options)),
  row('core jsonLines', { ...jsonLines, ...decodeOptions }, (options) => core.jsonLines(options)),
  row('core lengthPrefixed', { ...lengthPrefixed, ...decodeOptions }, (options) => core.lengthPrefixed(options), {
    base: { lengthField: 4, offset: 1 },
  }),
  row('core netstrings', { ...netstrings, ...decodeOptions }, (options) => core.netstrings(options)),
  row('core delimitedCodec', delimited, (options) => core.delimitedCodec('\0', options)),
  row('core linesCodec', lines, (options) => core.linesCodec(options)),
  row('core jsonLinesCodec', jsonLines, (options) => core.jsonLinesCodec(options)),
  row('core lengthPrefixedCodec', lengthPrefixed, (options) => core.lengthPrefixedCodec(options), {
    base: { lengthField: 4, offset: 1 },
  }),
  row('core netstringsCodec', netstrings, (options) => core.netstringsCodec(options)),
];

const secret = kind.required({ good: ['a'], bad: ['', null, 0, 1, Number.NaN, true, {}, []] });
const login: Options = { username: secret, password: secret };
const setup: Options = { setup: kind.callback, setupTimeout: kind.timeout };
const end: Options = { end: kind.flag };
const writing: Row[] = [
  row('core writeTo', end, (options) => core.writeTo(idle(), options)),
  row('core through', end, (options) => core.through(idle(), options)),
  row('core sendFrom', end, (options) => core.sendFrom(idle(), [], options)),
  row('core sendFile', { ...end, from: kind.position, to: kind.position, chunkSize: kind.finiteSize }, (options) =>
    core.sendFile(idle(), 'file', options),
  ),
  row(
    'core saveTo',
    { mode: kind.range(0, 0o777), flush: kind.flag, removeStale: kind.flag, resume: kind.flag },
    (options) => core.saveTo('file', options),
  ),
];

const consuming: Row[] = [
  row(
    'core mapWithBackpressure',
    {
      concurrency: kind.size,
      ordered: kind.flag,
      highWaterMark: kind.size,
      overflow: kind.overflow,
      flow: kind.instance(idle()),
    },
    (options) => core.mapWithBackpressure(() => EMPTY, options),
  ),
  row('core serve', { onError: kind.callback }, (options) => core.serve(() => '', options)),
  row('core toAsyncIterable', { highWaterMark: kind.count }, (options) => core.toAsyncIterable(NEVER, options)),
  row('core toReadable', { objectMode: kind.flag, highWaterMark: kind.finiteSize }, (options) =>
    core.toReadable(NEVER, options),
  ),
  row('core fromDuplex', socketOptions, (options) => core.fromDuplex(duplex(), options), { end: abort }),
];

const timeout: Options = { timeout: kind.timeout };
/** A method of a reader of a socket in memory, which nobody writes to. */
const read = (method: string, call: (reader: core.Reader, options: never) => unknown): Row =>
  row(`core Reader.${method}`, timeout, (options) => {
    const [socket] = socketPair();
    const read = call(core.reader(socket), options);
    socket.error();
    return read;
  });

const reading: Row[] = [
  row('core reader', { ...timeout, maxLength: kind.size }, (options) => core.reader(socketPair()[0], options)),
  read('read', (reader, options) => reader.read(1, options)),
  read('readUntil', (reader, options) => reader.readUntil('\n', options)),
  read('readLine', (reader, options) => reader.readLine(options)),
  read('readLines', (reader, options) => reader.readLines(1, options)),
  read('readFrame', (reader, options) => reader.readFrame(core.linesCodec(), options)),
  read('readAll', (reader, options) => reader.readAll(options)),
];

const backoff: Options = {
  initial: kind.delay,
  // The first delay is 0 here, so that every longest one fits.
  max: kind.delay,
  factor: kind.fraction(1, Number.POSITIVE_INFINITY),
  jitter: kind.fraction(0, 1),
  resetAfter: kind.timeout,
};
const lasting: Row[] = [
  row(
    'core reconnect',
    {
      backoff: kind.object({}),
      maxRetries: kind.count,
      shouldRetry: kind.callback,
      maxWriteBuffer: kind.size,
      overflow: kind.overflow,
      signal: kind.signal,
      scheduler: kind.scheduler,
      ...setup,
    },
    (options) => core.reconnect(idle, options),
  ),
  row('core reconnect backoff', backoff, (options) => core.reconnect(idle, { backoff: options }), {
    base: { initial: 0, max: 2 ** 31 - 1 },
  }),
  row('core ReconnectingSocket.close', timeout, (options) => core.reconnect(idle).close(options)),
  row(
    'core connectionPool',
    {
      max: kind.size,
      idleTimeout: kind.timeout,
      acquireTimeout: kind.timeout,
      maxWaiting: kind.count,
      validate: kind.callback,
      validateTimeout: kind.timeout,
      scheduler: kind.scheduler,
      ...setup,
    },
    (options) => core.connectionPool(idle, options),
  ),
  row('core ConnectionPool.close', { drain: kind.timeout }, (options) => core.connectionPool(idle).close(options)),
  row('registry SocketGroup.close', { ...timeout, drain: kind.timeout }, (options) =>
    new SocketRegistry().match('*').close(options),
  ),
];

function abort(socket: core.Socket): void {
  socket.error();
}

export const coreRows: Row[] = [
  row('proxy socks5', login, (options) => socks5({ port: 1080 }, options), { base: { username: 'a', password: 'b' } }),
  row(
    'proxy httpConnect',
    { ...login, headers: kind.object({}, { A: 'b' }) },
    (options) => httpConnect({ port: 3128 }, options),
    { base: { username: 'a', password: 'b' } },
  ),
  row('core connect', dialOptions, (options) => core.connect(options), { base: { port: 1 } }),
  row('core listen', listenOptions, (options) => core.listen(options)),
  keepAliveRow('core connect', (options) => core.connect({ port: 1, ...options })),
  keepAliveRow('core listen', (options) => core.listen(options)),
  row('core connect proxyProtocol', proxyHeader, (options) => core.connect({ port: 1, proxyProtocol: options })),
  row('core listen proxyProtocol', proxyProtocol, (options) => core.listen({ proxyProtocol: options as never }), {
    base: { trusted: ['::1'] },
  }),
  ...framing,
  ...writing,
  ...consuming,
  ...reading,
  ...lasting,
];
