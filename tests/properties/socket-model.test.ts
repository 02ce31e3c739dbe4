// The model of sockets, over every transport: random stories of readers, holds, writes, ends, aborts, stalls and time.
import { socketModel, verifyTransport } from '@rxsock/core/fast-check';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { transports } from '../compliance/transports/index.js';
import { checkProperty, propertyParameters, runsOr } from '../support/property.js';

test('a connection in memory keeps the laws of sockets, on virtual time', async () => {
  const model = socketModel();
  const property = fc.asyncProperty(model.commands, (commands) => model.run(commands));
  await checkProperty(property, { numRuns: runsOr(1000) });
});

describe('a transport keeps the laws of sockets', () => {
  for (const transport of transports) {
    if (!('listen' in transport)) continue;
    test(transport.name, async () => {
      const tested = {
        listen: () => transport.listen({}),
        connect: (address: Parameters<typeof transport.connect>[0]) => transport.connect(address, {}),
        hasResets: transport.has.reset,
      };
      await verifyTransport(tested, propertyParameters());
    });
  }
});
