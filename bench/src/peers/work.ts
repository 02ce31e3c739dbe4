// What a peer does with its connection.
import type net from 'node:net';
import type { PeerOptions } from '../peer.js';

/** Works on a connection. Returns a function that returns the count so far: bytes or round trips. */
export type Work = (socket: net.Socket, options: PeerOptions) => () => number;
