// Receives datagrams: drops those from blocked senders, counts all, and emits the rest.
import type dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { InternetEndpoint } from '@rxsock/core';
import { canonicalAddress } from './canonical-address.js';
import type { SocketSetup } from './setup.js';
import type { SharedEvents } from './shared-events.js';
import type { Traffic } from './traffic.js';

/** The parts of a datagram socket that its receiver works with. */
export interface ReceiverContext {
  readonly setup: SocketSetup;
  readonly traffic: Traffic;
  readonly events: SharedEvents;
}

export class Receiver {
  /** The peer of a connected socket. Until it is known, a connected socket receives nothing. */
  peer: InternetEndpoint | undefined;
  readonly #context: ReceiverContext;

  constructor(context: ReceiverContext) {
    this.#context = context;
  }

  receive(data: Buffer, { address, port, family }: dgram.RemoteInfo): void {
    const { events, traffic } = this.#context;
    if (this.#isBlocked(address, port)) {
      traffic.counts.messagesBlocked++;
      return;
    }
    traffic.counts.messagesRead++;
    traffic.counts.bytesRead += data.length;
    if (events.hasSubscribers) events.emit({ type: 'message', data, remote: { address, port, family } });
    else traffic.counts.messagesDropped++;
  }

  #isBlocked(address: string, port: number): boolean {
    const { connectFrom, options } = this.#context.setup;
    // The kernel filters for a connected socket, but not what arrives between bind and connect.
    if (connectFrom && (address !== this.peer?.address || port !== this.peer.port)) return true;
    return options.blockList?.check(canonicalAddress(address), isIPv6(address) ? 'ipv6' : 'ipv4') === true;
  }
}
