// All behaviours, in the order of the table.
import type { Topic } from '../support/topic.js';
import { aborts } from './aborts.js';
import { closes } from './closes.js';
import { connecting } from './connecting.js';
import { contexts } from './contexts.js';
import { dataTopic } from './data.js';
import { dials } from './dials.js';
import { draining } from './draining.js';
import { readersAndFiles } from './files.js';
import { halfClose } from './half-close.js';
import { holds } from './holds.js';
import { leaks } from './leaks.js';
import { leaving } from './leaving.js';
import { limits } from './limits.js';
import { nettest } from './nettest.js';
import { operators } from './operators.js';
import { races } from './races.js';
import { resets } from './resets.js';
import { servers } from './servers.js';
import { windowTopic } from './window.js';
import { writes } from './writes.js';

export const topics: readonly Topic[] = [
  connecting,
  dials,
  dataTopic,
  halfClose,
  closes,
  leaving,
  holds,
  writes,
  limits,
  aborts,
  resets,
  servers,
  draining,
  operators,
  readersAndFiles,
  races,
  nettest,
  contexts,
  leaks,
  windowTopic,
];
