// The type of what a peer does.
import type net from 'node:net';
import type { PeerOptions } from '../peer.js';

/** Starts to work on a connection. Returns a function that returns the count so far: bytes, or round trips. */
export type Role = (socket: net.Socket, options: PeerOptions) => () => number;
