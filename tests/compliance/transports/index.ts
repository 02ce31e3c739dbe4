// All transports, in the order of the table. For another one, add a file like those beside this one, a line here, and a
// test file with one call: comply(transport).
import type { Transport } from '../support/transport.js';
import { pair } from './pair.js';
import { tcp } from './tcp.js';
import { tls12, tls13 } from './tls.js';
import { unix } from './unix.js';

export const transports: readonly Transport[] = [tcp, tls12, tls13, unix, pair];
