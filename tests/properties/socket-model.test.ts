// The model of sockets, in memory and on virtual time: random stories of readers, holds, writes, ends, aborts, stalls and
// time. `npm run properties -- socket-model --runs 100000` tries many.
import { socketModel } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { test } from 'vitest';
import { checkProperty, runsOr } from '../support/property.js';

test('a connection in memory keeps the laws of sockets, on virtual time', async () => {
  const model = socketModel();
  const property = fc.asyncProperty(model.commands, (commands) => model.run(commands));
  await checkProperty(property, { numRuns: runsOr(1000) });
});
