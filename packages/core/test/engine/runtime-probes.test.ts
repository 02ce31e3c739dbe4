// The engine finds out what the runtime can tell from the first stream that shows it. Streams of this Node stand in for
// those of other runtimes: a handle that starts to read and brings no second end, as on Deno, or no handle, as on Bun.
import { once } from 'node:events';
import type net from 'node:net';
import tls from 'node:tls';
import { fromDuplex, type Socket } from '@rxsock/core';
import { nodeInternals } from '@rxsock/core/internal';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { cert, key } from '../../../../tests/support/certificate.js';
import { setNodeInternals } from '../../../../tests/support/node-internals.js';
import { rawClient, rawServer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';
import { resumeTappedReads, stopTappedReads } from '../../src/engine/tapped-reads.js';
import { watchWarnings } from '../support/warnings.js';

interface Handle {
  readStart(): number;
  readStop(): number;
  reset(callback: () => void): number;
  _parent?: Handle | null;
}
const handleOf = (stream: net.Socket) => (stream as unknown as { _handle: Handle })._handle;

beforeEach(() => {
  onTestFinished(setNodeInternals({ repeatsEnds: undefined, showsTlsCuts: undefined }));
});

function socketOver(stream: net.Socket): Socket {
  const socket = fromDuplex(stream);
  onTestFinished(() => socket.error());
  return socket;
}

async function connected(): Promise<{ stream: net.Socket; peer: net.Socket }> {
  const server = await rawServer();
  const stream = rawClient(server.port);
  const [peer] = await Promise.all([server.next(), once(stream, 'connect')]);
  return { stream, peer };
}

/** Calls `act` in place of every read that is started from now on. Returns how often it was called. */
function replaceReads(handle: Handle, act: (start: () => number) => number): () => number {
  const start = handle.readStart.bind(handle);
  let calls = 0;
  handle.readStart = () => {
    calls++;
    return act(start);
  };
  return () => calls;
}

test('an end is believed where no second one comes, and later ones without a second read', async () => {
  for (const reads of [1, 0]) {
    const { stream, peer } = await connected();
    const { log, ended } = record(socketOver(stream));
    peer.write('the first');
    await expect.poll(() => log).toContain('data');
    const calls = replaceReads(handleOf(stream), () => 0);
    peer.end();
    await ended;
    expect(log).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
    expect(nodeInternals.repeatsEnds).toBe(false);
    expect(calls()).toBe(reads);
  }
});

test('an end is confirmed where a second one comes, also if the reading is stopped between the two', async () => {
  const { stream, peer } = await connected();
  const { log, ended } = record(socketOver(stream));
  peer.write('the first');
  await expect.poll(() => log).toContain('data');
  replaceReads(handleOf(stream), (start) => {
    const result = start();
    // The engine does this where bytes are given back, and for a memory budget.
    stopTappedReads(stream);
    return result;
  });
  peer.end();
  await ended;
  expect(nodeInternals.repeatsEnds).toBe(true);
  expect(log).toEqual(['connect', 'data', 'end', 'finish', 'close', 'complete']);
});

async function secured(): Promise<{ stream: tls.TLSSocket; peer: tls.TLSSocket }> {
  const server = tls.createServer({ key, cert, allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const verify = { ca: cert, servername: 'localhost', allowHalfOpen: true } as const;
  const stream = tls.connect({ port, host: '127.0.0.1', ...verify });
  const [[peer]] = await Promise.all([once(server, 'secureConnection'), once(stream, 'secureConnect')]);
  onTestFinished(() => {
    peer.destroy();
    server.close();
  });
  return { stream, peer };
}

const others: [string, (handle: Handle) => void][] = [
  ['of which a read can be started twice', (handle) => void replaceReads(handle._parent as Handle, () => 0)],
  ['with nothing beneath it', (handle) => Object.defineProperty(handle, '_parent', { value: undefined })],
];

test.each(others)('one warning says that cuts are not shown by a TLS stream %s', async (_name, change) => {
  const warnings = watchWarnings();
  for (let count = 0; count < 2; count++) {
    const { stream, peer } = await secured();
    const socket = socketOver(stream);
    change(handleOf(stream));
    const { log } = record(socket);
    peer.write('data');
    await expect.poll(() => log).toContain('data');
  }
  expect(nodeInternals.showsTlsCuts).toBe(false);
  expect(warnings.mock.calls).toEqual([[expect.any(String), { code: 'ERR_TLS_CUTS_NOT_SHOWN' }]]);
});

test('a TLS stream whose handle beneath does not follow it is stopped and started there', async () => {
  const { stream, peer } = await secured();
  const { log } = record(socketOver(stream));
  peer.write('data');
  await expect.poll(() => log).toContain('data');
  const beneath = handleOf(stream)._parent as Handle;
  const stop = vi.spyOn(beneath, 'readStop');
  const start = vi.spyOn(beneath, 'readStart').mockReturnValue(0);
  for (const [showsTlsCuts, calls] of [
    [true, 0],
    [false, 1],
  ] as const) {
    nodeInternals.showsTlsCuts = showsTlsCuts;
    stopTappedReads(stream);
    expect(stop).toHaveBeenCalledTimes(calls);
    resumeTappedReads(stream);
    expect(start).toHaveBeenCalledTimes(calls);
  }
});

test('an aborted TLS stream closes, although nothing calls back after its reset', async () => {
  const { stream } = await secured();
  const beneath = handleOf(stream)._parent as Handle;
  const socket = socketOver(stream);
  const { log, ended } = record(socket);
  const reset = beneath.reset.bind(beneath);
  beneath.reset = () => reset(() => {});
  stream.once('close', () => log.push('stream closed'));
  socket.error();
  await ended;
  await expect.poll(() => log).toContain('stream closed');
});

test('Node shows cuts: there is no warning', async () => {
  const warnings = watchWarnings();
  const { stream, peer } = await secured();
  const { log, ended } = record(socketOver(stream));
  peer.write('data');
  await expect.poll(() => log).toContain('data');
  peer.end();
  await ended;
  expect(log).toContain('end');
  expect(nodeInternals.showsTlsCuts).toBe(true);
  expect(warnings).not.toHaveBeenCalled();
});
