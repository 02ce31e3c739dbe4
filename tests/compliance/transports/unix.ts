// UNIX sockets, at paths in their own directory.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PathEndpoint } from '@rxsock/core';
import { connect, listen } from '@rxsock/unix';
import { onTestFinished } from 'vitest';
import type { DialledTransport } from '../support/transport.js';

export const unix: DialledTransport = {
  name: 'UNIX',
  has: { server: true, reset: false, resetError: false },
  listen: (options) => listen({ path: freePath(), ...options }),
  connect: (address, options) => connect({ path: (address as PathEndpoint).path, ...options }),
  nowhere: async () => ({ path: freePath() }),
};

function freePath(): string {
  const directory = mkdtempSync(join(tmpdir(), 'rxsock-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, 'socket');
}
