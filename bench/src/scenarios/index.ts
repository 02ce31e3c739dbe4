// All scenarios, in the order in which they run. The README says how to add one.
import type { Scenario } from '../scenario.js';
import { answerLines } from './answer-lines.js';
import { connectionCycle, idleConnections } from './connections.js';
import { echoBulk } from './echo-bulk.js';
import { echoServer } from './echo-server.js';
import { longLines, shortLines } from './lines.js';
import { pingPong } from './ping-pong.js';
import { smallReads } from './reader.js';
import { receive } from './receive.js';
import { sendFiles } from './send-file.js';
import { writesOf1k, writesOf16, writesOf100 } from './small-writes.js';

export const scenarios: readonly Scenario[] = [
  receive,
  shortLines,
  longLines,
  smallReads,
  sendFiles,
  writesOf16,
  writesOf100,
  writesOf1k,
  echoBulk,
  pingPong,
  echoServer,
  answerLines,
  connectionCycle,
  idleConnections,
];
