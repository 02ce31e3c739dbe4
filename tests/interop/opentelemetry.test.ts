// The metrics of @rxsock/core/metrics with the real OpenTelemetry SDK, scraped by curl as Prometheus would.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { type CloseEvent, connect, data, type InternetEndpoint, listen, on, type Server, serve } from '@rxsock/core';
import { type Attributes, instrument, type Meter } from '@rxsock/core/metrics';
import * as tls from '@rxsock/tls';
import { bind } from '@rxsock/udp';
import * as unix from '@rxsock/unix';
import { firstValueFrom } from 'rxjs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { certificateAuthority } from '../support/certificates.js';
import { record } from '../support/record.js';
import { testFolder } from '../support/temporary-folder.js';
import { curl } from './http.js';

/** Measures until the test is over. Returns what reads a sum of all series with these attributes. */
async function measured() {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  const stop = instrument(provider.getMeter('rxsock'));
  const http = createServer((request, response) => exporter.getMetricsRequestHandler(request, response));
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  onTestFinished(async () => {
    stop();
    http.closeAllConnections();
    http.close();
    await provider.shutdown();
  });
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/metrics`;
  const scrape = async () => (await curl('', url)).stdout;
  const read = async (name: string, attributes: Attributes = {}) => sumOf(await scrape(), name, attributes);
  return { scrape, read, stop };
}

/** Adds up the series of a metric in Prometheus' format that have these labels. */
function sumOf(text: string, name: string, attributes: Attributes): number | undefined {
  const wanted = Object.entries(attributes).map(([key, value]) => `${key.replaceAll('.', '_')}="${value}"`);
  const series = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  const found = series.filter((line) => wanted.every((label) => line.includes(label)));
  return found.length === 0 ? undefined : found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** Runs an echo server until the test is over. */
async function echo<A extends InternetEndpoint | { path: string }>(server: Server<A>): Promise<A> {
  server.pipe(serve((socket) => socket.pipe(data()))).subscribe();
  onTestFinished(() => server.close({ drain: 0 }));
  return (await firstValueFrom(server.pipe(on('listening')))).address as A;
}

const CLIENT = { 'rxsock.socket.role': 'client' };
const SERVER = { 'rxsock.socket.role': 'server' };
const RECEIVE = { 'network.io.direction': 'receive' };
const TRANSMIT = { 'network.io.direction': 'transmit' };

describe('instrument()', () => {
  test('counts the connections and bytes of both ends, by transport and role', async () => {
    const { read, scrape } = await measured();
    const { port } = await echo(listen());
    const socket = connect({ port });
    const { ended, values } = record(socket);
    socket.next('hello');
    await firstValueFrom(socket.pipe(on('data')));
    const tcp = { 'network.transport': 'tcp', 'rxsock.socket.type': 'tcp' };
    expect(await read('rxsock_socket_count', { ...tcp, ...CLIENT })).toBe(1);
    expect(await read('rxsock_socket_count', { ...tcp, ...SERVER })).toBe(1);
    // Also of sockets that are still open.
    expect(await read('rxsock_network_io_total', { ...CLIENT, ...TRANSMIT })).toBe(5);
    expect(await read('rxsock_network_io_total', { ...SERVER, ...RECEIVE })).toBe(5);
    socket.complete();
    await ended;
    await expect.poll(() => read('rxsock_socket_count', tcp)).toBe(0);
    expect(await read('rxsock_socket_opened_total', CLIENT)).toBe(1);
    expect(await read('rxsock_network_io_total', { ...CLIENT, ...RECEIVE })).toBe(5);
    expect(await read('rxsock_socket_duration_count', SERVER)).toBe(1);
    const { report } = values.at(-1) as CloseEvent;
    expect(await read('rxsock_socket_duration_sum', CLIENT)).toBeCloseTo(report.duration / 1000);
    expect(await read('rxsock_socket_dial_duration_count', CLIENT)).toBe(1);
    const text = await scrape();
    expect(text).toContain('# UNIT rxsock_socket_duration s');
    expect(text).toMatch(/nodejs_eventloop_delay_max\{[^}]*\} \d/);
    expect(text).not.toContain('127.0.0.1');
  });

  test('counts failures by code and drops by reason', async () => {
    const { read } = await measured();
    const { port } = await echo(listen({ maxConnections: 1 }));
    const first = connect({ port });
    record(first);
    await firstValueFrom(first.pipe(on('connect')));
    await record(connect({ port })).ended;
    await expect.poll(() => read('rxsock_server_dropped_total', { 'rxsock.drop.reason': 'maxConnections' })).toBe(1);
    first.error(new Error('enough'));
    const aborted = { 'error.type': 'ERR_SOCKET_ABORTED', ...CLIENT };
    await expect.poll(() => read('rxsock_socket_failed_total', aborted)).toBe(1);
    const { ended } = record(connect({ port: 1, host: '127.0.0.1' }));
    await ended;
    expect(await read('rxsock_socket_failed_total', { 'error.type': 'ECONNREFUSED' })).toBe(1);
    // It never was open.
    expect(await read('rxsock_socket_duration_count', CLIENT)).toBe(2);
  });

  test('measures queues and holds', async () => {
    const { read } = await measured();
    const { port } = await echo(listen());
    const socket = connect({ port });
    const release = socket.hold('lunch');
    record(socket);
    socket.next('hello');
    await expect.poll(() => read('rxsock_queue_size', { ...CLIENT, ...RECEIVE })).toBe(5);
    // Seen while it lasts: its duration is known only afterwards.
    expect(await read('rxsock_socket_held', { ...CLIENT, 'network.transport': 'tcp' })).toBe(1);
    expect(await read('rxsock_socket_held', SERVER)).toBe(0);
    expect(await read('rxsock_socket_hold_duration_count', CLIENT)).toBeUndefined();
    release();
    await expect.poll(() => read('rxsock_queue_size', { ...CLIENT, ...RECEIVE })).toBe(0);
    expect(await read('rxsock_socket_held', CLIENT)).toBe(0);
    expect(await read('rxsock_socket_hold_duration_count', CLIENT)).toBe(1);
    socket.error();
  });

  test('measures TLS handshakes of both ends, UNIX sockets and datagrams', async () => {
    const { read } = await measured();
    const authority = await certificateAuthority();
    const { port } = await echo(tls.listen({ ...(await authority.issue({ names: ['localhost'] })) }));
    const secure = tls.connect({ port, ca: authority.cert });
    record(secure);
    await firstValueFrom(secure.pipe(on('secureConnect')));
    const overTls = { 'network.transport': 'tcp', 'rxsock.socket.type': 'tls' };
    for (const role of [CLIENT, SERVER])
      await expect.poll(() => read('rxsock_tls_handshake_duration_count', { ...overTls, ...role })).toBe(1);
    secure.error();
    const { path } = await echo(unix.listen({ path: `${await testFolder()}/socket` }));
    const local = unix.connect({ path });
    record(local);
    await firstValueFrom(local.pipe(on('connect')));
    expect(await read('rxsock_socket_count', { 'network.transport': 'unix', ...CLIENT })).toBe(1);
    local.error();
    const socket = bind();
    onTestFinished(() => void socket.close());
    const address = await socket.bind();
    await socket.send({ data: 'nobody reads it', remote: address });
    const udp = { 'network.transport': 'udp' };
    await expect.poll(() => read('rxsock_datagram_dropped_total', { ...udp, 'rxsock.drop.reason': 'unread' })).toBe(1);
    expect(await read('rxsock_network_datagrams_total', { ...udp, ...TRANSMIT })).toBe(1);
    expect(await read('rxsock_network_io_total', { ...udp, ...RECEIVE })).toBe(15);
  });

  test('counts from its start, and nothing after its end', async () => {
    const { port } = await echo(listen());
    const socket = connect({ port });
    const { ended } = record(socket);
    socket.next('before');
    await firstValueFrom(socket.pipe(on('data')));
    const { read, scrape, stop } = await measured();
    expect(await read('rxsock_socket_count', CLIENT)).toBe(1);
    expect(await read('rxsock_network_io_total', { ...CLIENT, ...TRANSMIT })).toBe(0);
    socket.next('now');
    socket.complete();
    await ended;
    expect(await read('rxsock_network_io_total', { ...CLIENT, ...TRANSMIT })).toBe(3);
    stop();
    await record(connect({ port: 1, host: '127.0.0.1' })).ended;
    expect(await scrape()).not.toContain('ECONNREFUSED');
  });

  test('works without an SDK: the Meter of the API alone does nothing', () => {
    instrument(metrics.getMeter('none'))();
  });

  test.each([[undefined], [null], [1], [{}], [() => {}]])('refuses %o at the call', (meter) => {
    expect(() => instrument(meter as unknown as Meter)).toThrow(/meter must be a Meter of OpenTelemetry/);
  });
});
