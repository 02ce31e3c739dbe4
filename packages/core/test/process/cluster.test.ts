// Servers in the workers of a cluster: their primary process listens, and hands each connection to one of them.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { killChild, program } from '../../../../tests/support/processes/index.js';

interface Report {
  readonly worker: number;
  readonly type: 'listening' | 'drop' | 'closed';
  readonly port: number;
}

/** Starts two workers that accept two connections each. */
async function startCluster() {
  const primary: ChildProcess = fork(program('cluster'));
  onTestFinished(() => killChild(primary));
  const reports: Report[] = [];
  primary.on('message', (report: Report) => reports.push(report));
  await expect.poll(() => reports.length).toBe(2);
  return { primary, reports, port: reports[0]?.port as number };
}

/** Connects and sends a letter. Resolves to what comes back, or to how the connection ends. */
async function knock(port: number): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write('a');
  const ended = once(socket, 'end').then(
    () => 'fin',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  return Promise.race([once(socket, 'data').then(String, () => ended), ended]);
}

test('a worker that is full drops further connections, each with an event', async () => {
  const { reports, port } = await startCluster();
  const answers = [];
  for (let i = 0; i < 6; i++) answers.push(await knock(port));

  expect(answers.slice(0, 4)).toEqual(['a', 'a', 'a', 'a']);
  expect(answers.slice(4)).not.toContain('a');
  await expect.poll(() => reports.filter(({ type }) => type === 'drop').length).toBe(2);
  expect(reports.at(-1)).toMatchObject({ type: 'drop', reason: 'maxConnections' });
});

test('workers listen on one port, have no descriptor to hand over, and leave the port to the others', async () => {
  const { primary, reports, port } = await startCluster();
  const report = { type: 'listening', port, handOver: 'ERR_HANDOVER_NO_DESCRIPTOR' };
  expect(reports).toEqual(expect.arrayContaining([1, 2].map((worker) => ({ worker, ...report }))));

  const closed = once(primary, 'message');
  primary.send(1);
  await closed;

  expect(reports.at(-1)).toEqual({ worker: 1, type: 'closed' });
  expect([await knock(port), await knock(port)]).toEqual(['a', 'a']);
});
