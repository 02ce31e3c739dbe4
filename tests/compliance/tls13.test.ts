import { comply } from './support/comply.js';
import { tls13 } from './transports/tls.js';

comply(tls13);
