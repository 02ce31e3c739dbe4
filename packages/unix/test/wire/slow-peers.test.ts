// A peer that reads slowly is not given up, and one that stops reading is. The kernel of a UNIX socket takes bytes in
// steps of about 180 KB.
import path from 'node:path';
import { listen } from '@rxsock/unix';
import { describe, test } from 'vitest';
import { expectCut, expectPatience, writeAndLeave } from '../../../../tests/support/slow-peers.js';
import { temporaryFolder } from '../../../../tests/support/temporary-folder.js';

describe.concurrent('lingerTimeout', () => {
  test('a peer that reads slowly without a pause is not given up', async (context) => {
    await using folder = await temporaryFolder();
    const server = listen({ path: path.join(folder.path, 'server'), lingerTimeout: 1000 });
    await expectPatience({ kind: 'unix', server, use: writeAndLeave }, { limit: 1_500_000, rate: 300_000 }, context);
  });

  test('a peer that has stopped is given up within twice the limit', async (context) => {
    await using folder = await temporaryFolder();
    const server = listen({ path: path.join(folder.path, 'server'), lingerTimeout: 1000 });
    await expectCut({ kind: 'unix', server, use: writeAndLeave }, 1000, context);
  });
});
