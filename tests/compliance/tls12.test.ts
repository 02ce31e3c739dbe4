import { comply } from './support/comply.js';
import { tls12 } from './transports/tls.js';

comply(tls12);
