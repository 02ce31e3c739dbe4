// All transports, in the order of the table. One more is a file like those beside this one, a line here, and a test file of
// one call: comply(it).
import type { Transport } from '../support/transport.js';
import { pair } from './pair.js';
import { tcp } from './tcp.js';
import { tls12, tls13 } from './tls.js';
import { unix } from './unix.js';

export const transports: readonly Transport[] = [tcp, tls12, tls13, unix, pair];
