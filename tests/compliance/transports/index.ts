// All transports, in the order of the table.
import type { Transport } from '../support/transport.js';
import { pair } from './pair.js';
import { tcp } from './tcp.js';

export const transports: readonly Transport[] = [tcp, pair];
