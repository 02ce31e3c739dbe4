// The type of what a peer does.
import type net from 'node:net';
import type { PeerOptions } from '../peer.js';
import type { Times } from '../times.js';

/**
 * Starts to work on a connection. Returns a function that returns the count so far: bytes, or round trips.
 * @param times For the times of round trips, if it makes them.
 */
export type Role = (socket: net.Socket, options: PeerOptions, times: Times) => () => number;
