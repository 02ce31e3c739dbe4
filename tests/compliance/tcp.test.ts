import { comply } from './support/comply.js';
import { tcp } from './transports/tcp.js';

comply(tcp);
