// Does something with the stream of a dial before its connection takes it.
import type { Duplex } from 'node:stream';
import type { DialHandlers } from '../engine/transport.js';

export function prepared(handlers: DialHandlers, prepare: (stream: Duplex) => void): DialHandlers {
  return {
    dialProgressed: (event) => handlers.dialProgressed(event),
    dialled: (stream, received) => {
      prepare(stream);
      handlers.dialled(stream, received);
    },
    failed: (error) => handlers.failed(error),
    closed: () => handlers.closed(),
  };
}
