// reusePort: several processes that listen on one port.
import { listen, serve } from '@rxsock/core';
import { expect, onTestFinished, test } from 'vitest';
import { nextMessage, program, startChild } from '../../../../tests/support/processes/index.js';
import { readAnswer } from '../../../../tests/support/raw-peers.js';
import { record } from '../../../../tests/support/record.js';

if (Number.parseInt(process.versions.node, 10) >= 22) {
  test('the system spreads the connections over all processes that listen with it', async () => {
    const server = listen({ reusePort: true });
    onTestFinished(() => server.close({ drain: 0 }));
    const { log } = record(server.pipe(serve(() => 'parent\n')));
    await expect.poll(() => log).toEqual(['listening']);
    const port = server.address?.port as number;
    const child = startChild([], { port }, program('shared-port'));
    expect(await nextMessage(child)).toBe('listening');
    const answers = await Promise.all(Array.from({ length: 64 }, () => readAnswer(port)));
    expect(new Set(answers)).toEqual(new Set(['parent\n end', `child ${child.pid}\n end`]));
  });

  test('a server that does not set it has its port alone', async () => {
    const server = listen();
    onTestFinished(() => server.close({ drain: 0 }));
    const { log } = record(server);
    await expect.poll(() => log).toEqual(['listening']);
    const { error } = await record(listen({ port: server.address?.port as number, reusePort: true })).ended;
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
  });
} else {
  test('is refused at the call where Node would ignore it', () => {
    const code = 'ERR_OPTION_UNSUPPORTED';
    expect(() => listen({ reusePort: true })).toThrow(expect.objectContaining({ name: 'SocketError', code }));
    expect(() => listen({ reusePort: true })).toThrow(/^reusePort needs Node 22\.12/);
  });
}

test('false is the same as leaving it out, and neither goes with fd', () => {
  expect(() => listen({ reusePort: false })).not.toThrow();
  expect(() => listen({ fd: 3, reusePort: false })).toThrow(TypeError);
});
