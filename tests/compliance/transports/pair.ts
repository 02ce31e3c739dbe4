// Two sockets in memory.
import { socketPair } from '@rxsock/core/testing';
import type { JoinedTransport } from '../support/transport.js';

export const pair: JoinedTransport = {
  name: 'pair in memory',
  has: { server: false, reset: true, resetError: true },
  join: socketPair,
};
