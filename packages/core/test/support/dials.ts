// For tests of dialling: lookups that return what a test wants, and a listener on several addresses.
import net, { type LookupFunction } from 'node:net';
import { onTestFinished } from 'vitest';
import { startPeer } from '../../../../tests/support/peers/index.js';

/** A lookup that returns these addresses, in this order. */
export function resolvesTo(...addresses: string[]): LookupFunction {
  return answers(addresses.map((address) => ({ address, family: net.isIP(address) })));
}

/** A lookup that returns anything. */
export function answers(...found: unknown[]): LookupFunction {
  return (_host, _options, done) => void setImmediate(() => (done as (...answer: unknown[]) => void)(null, ...found));
}

/** A lookup that never answers, unless a test makes it. */
export function hanging(): { readonly lookup: LookupFunction; answer(address: string): void } {
  let answer = (_address: string) => {};
  const lookup: LookupFunction = (_host, _options, done) => {
    answer = (address) => done(null, [{ address, family: net.isIP(address) }]);
  };
  return { lookup, answer: (address) => answer(address) };
}

/** How connections have ended: with FIN and without a byte, with FIN after bytes, with a reset. */
interface Ends {
  empty: number;
  whole: number;
  reset: number;
}

export interface Listener {
  readonly port: number;
  /** Waits until no connection is open. Returns how the connections have ended since the last call. */
  ends(): Promise<Ends>;
  /** Lets the silent addresses accept. */
  accept(): void;
  /** Lets the first silent address refuse. */
  refuse(): void;
}

/**
 * A peer that is not Node, on one port of several addresses. It reads every connection to its end.
 * @param addresses With `silent:` before it, an address does not answer.
 */
export async function listenOn(port: number, ...addresses: string[]): Promise<Listener> {
  const peer = startPeer('listen.pl', port, ...addresses);
  onTestFinished(() => peer.kill());
  const printed = Number(await peer.line());
  if (!printed) throw new Error(`Cannot listen on ${addresses} ${port}`);
  const ends = async () => {
    const sum: Ends = { empty: 0, whole: 0, reset: 0 };
    // A connection that the peer has not accepted yet is not counted as open.
    for (let quiet = 0; quiet < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      peer.go('ends');
      const now = JSON.parse(await peer.line()) as Ends & { open: number };
      for (const how of ['empty', 'whole', 'reset'] as const) sum[how] += now[how];
      quiet = now.open + now.empty + now.whole + now.reset > 0 ? 0 : quiet + 1;
    }
    return sum;
  };
  return { port: printed, ends, accept: () => peer.go('accept'), refuse: () => peer.go('refuse') };
}

/** The TCP handles of this process that are not closed. */
export function tcpHandles(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
}
