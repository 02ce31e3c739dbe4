// TLS over TCP on loopback, in each version in use.
import type { InternetEndpoint } from '@rxsock/core';
import { connect, listen } from '@rxsock/tls';
import { certificateAuthority } from '../../support/certificates.js';
import type { DialledTransport } from '../support/transport.js';
import { hostAndPort, tcp } from './tcp.js';

const authority = await certificateAuthority();
const identity = await authority.issue({ names: ['127.0.0.1'] });
const ca = authority.cert;

const speaking = (name: string, version: 'TLSv1.2' | 'TLSv1.3'): DialledTransport => ({
  name,
  has: { server: true, reset: true, resetError: false },
  listen: (options) => listen({ ...identity, minVersion: version, maxVersion: version, ...options }),
  connect: (address, options) => connect({ ca, ...hostAndPort(address as InternetEndpoint), ...options }),
  nowhere: tcp.nowhere,
});

export const tls12 = speaking('TLS 1.2', 'TLSv1.2');
export const tls13 = speaking('TLS 1.3', 'TLSv1.3');
