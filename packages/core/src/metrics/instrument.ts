// instrument(): the sockets of this process as OpenTelemetry metrics.
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Subscription } from 'rxjs';
import { typeError } from '../base/check.js';
import { channel } from '../diagnostics/channel.js';
import type { ChannelMessages, ChannelName } from '../diagnostics/messages.js';
import { attributesOf, errorTypes } from './attributes.js';
import type { BatchResult, Meter } from './meter.js';
import { type CountedDatagramSocket, TrafficCount } from './traffic.js';

/** The boundaries of the conventions for requests, in seconds. */
const SHORT = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
const HOLDS = [0.0001, 0.001, 0.01, 0.1, 1, 10, 60, 600];
const LIVES = [0.01, 0.1, 1, 10, 60, 600, 3600, 36_000];

const RECEIVE = { 'network.io.direction': 'receive' };
const TRANSMIT = { 'network.io.direction': 'transmit' };

/**
 * Measures all sockets and servers of this process: how many are open, are held, were opened, failed and were dropped, the
 * bytes each way, what waits in queues, how long dials, handshakes, holds and connections last, and for how long the event
 * loop stood still. `docs/observing.md` lists the instruments.
 *
 * Each measurement says the transport, and who opened the connection. It names no address: with one series for each
 * peer, a backend would drown. A chunk costs nothing: bytes are added up when a reader collects.
 *
 * Call it once for each meter, before the first socket: what happened earlier is not counted.
 *
 * **Half-close**, **Backpressure**: unchanged.
 *
 * @param meter A `Meter` of `@opentelemetry/api` 1.3 or later.
 * @returns A function that stops measuring. The instruments stay, and do not change any more.
 * @throws At the call: TypeError if `meter` is not a Meter.
 * @see https://opentelemetry.io/docs/specs/semconv/registry/attributes/network/
 * @example
 * ```ts
 * import { instrument, type Meter } from '@rxsock/core/metrics';
 *
 * declare const meter: Meter; // metrics.getMeter('my-app') of @opentelemetry/api
 * const stop = instrument(meter);
 * ```
 */
export function instrument(meter: Meter): () => void {
  for (const method of ['createCounter', 'createHistogram', 'addBatchObservableCallback'] as const) {
    if (typeof meter?.[method] !== 'function')
      throw typeError('meter', "a Meter of OpenTelemetry, as metrics.getMeter('my-app') returns", meter);
  }
  const running = new Subscription();
  countEvents(meter, running);
  observeTotals(meter, running);
  observeLoop(meter, running);
  return () => running.unsubscribe();
}

/** What happens once is counted when it happens. */
function countEvents(meter: Meter, running: Subscription): void {
  const on = <N extends ChannelName>(name: N, count: (message: ChannelMessages[N]) => void) =>
    running.add(channel(name).subscribe(count));
  const counter = (name: string, unit: string, description: string) =>
    meter.createCounter(`rxsock.${name}`, { unit, description });
  const seconds = (name: string, explicitBucketBoundaries: number[], description: string) => {
    const histogram = meter.createHistogram(`rxsock.${name}`, {
      unit: 's',
      description,
      advice: { explicitBucketBoundaries },
    });
    return (milliseconds: number | undefined, attributes: ReturnType<typeof attributesOf>) => {
      if (milliseconds !== undefined) histogram.record(milliseconds / 1000, attributes);
    };
  };
  const errorType = errorTypes();
  const opened = counter('socket.opened', '{socket}', 'Sockets that were opened');
  const failed = counter('socket.failed', '{socket}', 'Sockets that failed, by the code of their error');
  const dropped = counter('server.dropped', '{connection}', 'Connections that a server refused or gave up, by reason');
  const lost = counter('datagram.dropped', '{datagram}', 'Datagrams that were received and dropped, by reason');
  const unsent = counter('datagram.failed', '{datagram}', 'Datagrams that were not sent, by the code of the error');
  const lived = seconds('socket.duration', LIVES, 'How long closed connections were open');
  const dialled = seconds('socket.dial.duration', SHORT, 'How long it took to open a connection');
  const shaken = seconds('tls.handshake.duration', SHORT, 'How long TLS handshakes took');
  const held = seconds('socket.hold.duration', HOLDS, 'How long a consumer made a socket wait');

  on('rxsock:socket:open', ({ socket, role, dialDuration, handshakeDuration }) => {
    const attributes = attributesOf(socket, role);
    opened.add(1, attributes);
    dialled(dialDuration, attributes);
    shaken(handshakeDuration, attributes);
  });
  on('rxsock:socket:release', ({ socket, role, duration }) => held(duration, attributesOf(socket, role)));
  on('rxsock:socket:error', ({ socket, role, error }) =>
    failed.add(1, { ...attributesOf(socket, role), 'error.type': errorType(error.code) }),
  );
  on('rxsock:socket:close', ({ socket, role, report }) => {
    if (socket.openedAt !== undefined) lived(report.duration, attributesOf(socket, role));
  });
  on('rxsock:server:drop', ({ server, reason }) =>
    dropped.add(1, { ...attributesOf(server, 'server'), 'rxsock.drop.reason': reason }),
  );
  on('rxsock:datagram:open', ({ socket }) => opened.add(1, attributesOf(socket, undefined)));
  on('rxsock:datagram:drop', ({ socket, reason }) =>
    lost.add(1, { ...attributesOf(socket, undefined), 'rxsock.drop.reason': reason }),
  );
  on('rxsock:datagram:error', ({ socket, error }) =>
    unsent.add(1, { ...attributesOf(socket, undefined), 'error.type': errorType(error.code) }),
  );
}

/** What grows with every chunk is added up when a reader collects. */
function observeTotals(meter: Meter, running: Subscription): void {
  const traffic = new TrafficCount();
  running.add(
    channel('rxsock:socket:close').subscribe(({ socket, role, report }) =>
      traffic.closed(attributesOf(socket, role), socket, report),
    ),
  );
  running.add(
    channel('rxsock:datagram:close').subscribe(({ socket }) => {
      const { report } = socket as unknown as CountedDatagramSocket;
      traffic.closed(attributesOf(socket, undefined), socket, report);
    }),
  );
  const count = meter.createObservableUpDownCounter('rxsock.socket.count', {
    unit: '{socket}',
    description: 'Sockets that are open',
  });
  const held = meter.createObservableUpDownCounter('rxsock.socket.held', {
    unit: '{socket}',
    description: 'Sockets that a consumer holds',
  });
  const bytes = meter.createObservableCounter('rxsock.network.io', {
    unit: 'By',
    description: 'Bytes that were received, and handed to the kernel',
  });
  const datagrams = meter.createObservableCounter('rxsock.network.datagrams', {
    unit: '{datagram}',
    description: 'Datagrams that were received, and handed to the kernel',
  });
  const queued = meter.createObservableUpDownCounter('rxsock.queue.size', {
    unit: 'By',
    description: 'Received bytes that wait for a reader, and written ones that wait for the kernel',
  });
  const observe = (result: BatchResult) => {
    for (const [attributes, sums] of traffic.sums()) {
      const [receive, transmit] = [RECEIVE, TRANSMIT].map((direction) => ({ ...attributes, ...direction }));
      result.observe(count, sums.sockets, attributes);
      if (attributes['network.transport'] !== 'udp') result.observe(held, sums.held, attributes);
      result.observe(bytes, sums.bytesRead, receive);
      result.observe(bytes, sums.bytesWritten, transmit);
      result.observe(queued, sums.readableLength, receive);
      result.observe(queued, sums.writableLength, transmit);
      if (attributes['network.transport'] !== 'udp') continue;
      result.observe(datagrams, sums.messagesRead, receive);
      result.observe(datagrams, sums.messagesWritten, transmit);
    }
  };
  observeBatch(meter, observe, [count, held, bytes, datagrams, queued], running);
}

/** For how long the loop stood still since the last collection: nobody is served meanwhile. */
function observeLoop(meter: Meter, running: Subscription): void {
  const delays = monitorLoop();
  if (!delays) return;
  delays.enable();
  running.add(() => delays.disable());
  const gauge = (name: string, description: string) =>
    meter.createObservableGauge(`nodejs.eventloop.delay.${name}`, { unit: 's', description });
  const max = gauge('max', 'Event loop maximum delay');
  const p99 = gauge('p99', 'Event loop 99 percentile delay');
  const observe = (result: BatchResult) => {
    // Without a sample there is nothing to tell.
    if (delays.count > 0) {
      result.observe(max, delays.max / 1e9);
      result.observe(p99, delays.percentile(99) / 1e9);
    }
    delays.reset();
  };
  observeBatch(meter, observe, [max, p99], running);
}

/** `undefined` in a runtime that does not measure it. */
function monitorLoop(): IntervalHistogram | undefined {
  try {
    return monitorEventLoopDelay({ resolution: 10 });
  } catch {
    return undefined;
  }
}

function observeBatch(
  meter: Meter,
  observe: (result: BatchResult) => void,
  instruments: object[],
  running: Subscription,
): void {
  meter.addBatchObservableCallback(observe, instruments);
  running.add(() => meter.removeBatchObservableCallback(observe, instruments));
}
