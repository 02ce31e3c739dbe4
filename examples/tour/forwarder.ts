// A port forwarder: relay() forwards bytes and half-closes in each direction, at the speed of the slower side.
import { connect, listen, relay, serve } from '@rxsock/core';
import { chat } from './chat.js';
import { halfClose } from './half-close.js';
import { combine, type Outcome } from './kit/outcome.js';
import type { Route } from './kit/route.js';
import { whileServing } from './kit/while-serving.js';

const forwarded: Route = (serverAddress, runClients) => {
  const forwarder = listen().pipe(serve((client) => relay(client, connect(serverAddress))));
  return whileServing(forwarder, runClients);
};

/** Runs the chat and the half-close again through a forwarder. Neither side notices it. */
export async function throughForwarder(): Promise<Outcome> {
  return combine({ chat: await chat(forwarded), 'half-close': await halfClose(forwarded) });
}
