// A port forwarder: relay() passes bytes and half-closes on, each direction by itself, at the speed of the slower side.
import { connect, listen, relay, serve } from '@rxsock/core';
import { chat } from './chat.js';
import { halfClose } from './half-close.js';
import { combine, type Outcome } from './kit/outcome.js';
import type { Route } from './kit/route.js';
import { whileServing } from './kit/while-serving.js';

const forwarded: Route = (server, clients) => {
  const forwarder = listen().pipe(serve((client) => relay(client, connect(server))));
  return whileServing(forwarder, clients);
};

/** The chat and the half-close again, through a forwarder: neither side can tell the difference. */
export async function throughForwarder(): Promise<Outcome> {
  return combine({ chat: await chat(forwarded), 'half-close': await halfClose(forwarded) });
}
