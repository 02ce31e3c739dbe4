import { comply } from './support/comply.js';
import { unix } from './transports/unix.js';

comply(unix);
