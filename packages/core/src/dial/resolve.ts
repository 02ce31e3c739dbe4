// The first step of a dial: from a host and a port, which may be names, to the addresses to try and the port number.
import type * as net from 'node:net';
import { asError } from '../base/thrown.js';
import { connectError } from '../engine/connection-errors.js';
import { servicePort } from '../lookup/service-port.js';
import { addressesToTry, type Family, familyOf } from './addresses.js';

/** What to dial. */
export interface DialPeer {
  /** The peer's name in messages. */
  readonly target: string;
  /** A name, as A-labels, or an address. */
  readonly host: string;
  /** A port number, or the name of a service. */
  readonly port: number | string;
  readonly family: Family;
  /** Our end of each attempt. */
  readonly local: Pick<net.TcpSocketConnectOpts, 'localAddress' | 'localPort'>;
  readonly lookup: net.LookupFunction;
}

/** What the step reports: one of the two. */
export interface ResolveHandlers {
  /** @param addresses At least one, in the order in which they are tried. */
  resolved(addresses: string[], port: number): void;
  failed(error: NodeJS.ErrnoException): void;
}

/**
 * Resolves the port, then the host. Calls no handler before it returns.
 * @returns Cancels: no handler is called any more.
 */
export function resolvePeer(peer: DialPeer, { resolved, failed }: ResolveHandlers): () => void {
  const { target, host, family, local, lookup } = peer;
  let settled = false;
  const fail = (thrown: unknown) => {
    if (settled) return;
    settled = true;
    failed(asError(thrown));
  };
  // A lookup may answer twice.
  const onAnswer = (port: number, error: unknown, answer: unknown) => {
    if (settled) return;
    if (error) return fail(error);
    let addresses: string[];
    try {
      addresses = addressesToTry(answer, family, local.localAddress);
    } catch (noAddress) {
      return fail(noAddress);
    }
    settled = true;
    resolved(addresses, port);
  };
  const resolveHost = (port: number) => {
    if (settled) return;
    if (familyOf(host) !== 0) return process.nextTick(onAnswer, port, null, host);
    try {
      // On the next tick, because a lookup may call back at once.
      lookup(host, { all: true, family }, (error, found) => process.nextTick(onAnswer, port, error, found));
    } catch (error) {
      process.nextTick(fail, error);
    }
  };
  const unknownPort = (error: Error) =>
    fail(connectError(error, [], { target, opened: false, local: undefined, remote: undefined }));
  if (typeof peer.port === 'number') resolveHost(peer.port);
  else servicePort(peer.port).then(resolveHost, unknownPort);
  return () => {
    settled = true;
  };
}
