// The diagnostics channels. They are created here once, because Node forgets a channel that nobody refers to.
import { type Channel, channel } from 'node:diagnostics_channel';
import { logChannels } from './debug-log.js';

export const socketChannels = {
  dial: channel('rxsock:socket:dial'),
  open: channel('rxsock:socket:open'),
  hold: channel('rxsock:socket:hold'),
  release: channel('rxsock:socket:release'),
  error: channel('rxsock:socket:error'),
  close: channel('rxsock:socket:close'),
};

export const serverChannels = {
  listening: channel('rxsock:server:listening'),
  connection: channel('rxsock:server:connection'),
  drop: channel('rxsock:server:drop'),
  draining: channel('rxsock:server:draining'),
  close: channel('rxsock:server:close'),
};

export const datagramChannels = {
  open: channel('rxsock:datagram:open'),
  drop: channel('rxsock:datagram:drop'),
  error: channel('rxsock:datagram:error'),
  close: channel('rxsock:datagram:close'),
};

export const reconnectChannels = {
  retry: channel('rxsock:reconnect:retry'),
  close: channel('rxsock:reconnect:close'),
};

export const poolChannels = {
  error: channel('rxsock:pool:error'),
};

/** All of them. */
export const allChannels = [
  socketChannels,
  serverChannels,
  datagramChannels,
  reconnectChannels,
  poolChannels,
] as const satisfies readonly Readonly<Record<string, Channel>>[];

for (const channels of allChannels) logChannels(channels);
