import { comply } from './support/comply.js';
import { pair } from './transports/pair.js';

comply(pair);
