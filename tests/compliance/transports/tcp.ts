// TCP, on loopback.
import { connect, type InternetEndpoint, listen } from '@rxsock/core';
import { closedPort } from '../../support/raw-peers.js';
import type { DialledTransport } from '../support/transport.js';

export const tcp: DialledTransport = {
  name: 'TCP',
  has: { server: true, reset: true, resetError: true },
  listen,
  connect: (address, options) => connect({ ...hostAndPort(address as InternetEndpoint), ...options }),
  nowhere: async () => ({ address: '127.0.0.1', port: await closedPort(), family: 'IPv4' }),
};

export function hostAndPort({ address: host, port }: InternetEndpoint) {
  return { host, port };
}
