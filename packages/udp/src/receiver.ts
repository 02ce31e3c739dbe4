// Receives datagrams: drops those from blocked senders, counts all, and emits the rest.
import type * as dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { InternetEndpoint } from '@rxsock/core';
import { publishDatagramDrop, tapDatagramReceived } from '@rxsock/core/internal';
import { canonicalAddress } from './canonical-address.js';
import type { SocketSetup } from './setup.js';
import type { SharedEvents } from './shared-events.js';
import type { Traffic } from './traffic.js';

/** The parts of a datagram socket that its receiver works with. */
export interface ReceiverContext {
  readonly setup: SocketSetup;
  readonly traffic: Traffic;
  readonly events: SharedEvents;
  /** What the diagnostics channels show. */
  readonly owner: { readonly socket: object };
}

export class Receiver {
  /** The peer of a connected socket. Until it is known, a connected socket receives nothing. */
  peer: InternetEndpoint | undefined;
  readonly #context: ReceiverContext;

  constructor(context: ReceiverContext) {
    this.#context = context;
  }

  receive(data: Buffer, { address, port, family }: dgram.RemoteInfo): void {
    const { events, traffic, owner } = this.#context;
    const remote = { address, port, family };
    if (this.#isBlocked(address, port)) {
      traffic.counts.messagesBlocked++;
      publishDatagramDrop(owner.socket, 'blocked', remote, data.length);
      return;
    }
    tapDatagramReceived(owner.socket, data, remote);
    traffic.counts.messagesRead++;
    traffic.counts.bytesRead += data.length;
    if (events.hasSubscribers) events.emit({ type: 'message', data, remote });
    else this.#drop(remote, data.length);
  }

  #drop(remote: InternetEndpoint, length: number): void {
    const { traffic, owner } = this.#context;
    traffic.counts.messagesDropped++;
    publishDatagramDrop(owner.socket, 'unread', remote, length);
  }

  #isBlocked(address: string, port: number): boolean {
    const { connectFrom, options } = this.#context.setup;
    // The kernel filters for a connected socket, but not what arrives between bind and connect.
    if (connectFrom && (address !== this.peer?.address || port !== this.peer.port)) return true;
    return options.blockList?.check(canonicalAddress(address), isIPv6(address) ? 'ipv6' : 'ipv4') === true;
  }
}
