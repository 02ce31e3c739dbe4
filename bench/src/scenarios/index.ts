// All scenarios, in the order in which they run. The README says how to add one.
import type { Scenario } from '../scenario.js';
import { answerLines } from './answer-lines.js';
import {
  connectionCycle,
  connectionCycleTls,
  connectionCycleUnix,
  idleConnections,
  idleConnectionsTls,
  idleConnectionsUnix,
} from './connections.js';
import { echoBulk } from './echo-bulk.js';
import { echoServer } from './echo-server.js';
import { fairness } from './fairness.js';
import { forAwait } from './for-await.js';
import { forwarder, relayed } from './forwarder.js';
import { coldImport } from './import.js';
import { longMessages, shortMessages } from './length-prefixed.js';
import { longLines, shortLines } from './lines.js';
import { pingPong, pingPong64, pingPong1000 } from './ping-pong.js';
import { smallReads } from './reader.js';
import { receive, receiveTls, receiveUnix } from './receive.js';
import { redis } from './redis.js';
import { resp } from './resp.js';
import { saveFiles } from './save-to.js';
import { sendTcp, sendTls, sendUnix } from './send.js';
import { sendFiles } from './send-file.js';
import { writesOf1k, writesOf16, writesOf100 } from './small-writes.js';
import { udp } from './udp.js';

export const scenarios: readonly Scenario[] = [
  shortLines,
  longLines,
  shortMessages,
  longMessages,
  resp,
  receive,
  relayed,
  sendFiles,
  saveFiles,
  forwarder,
  echoBulk,
  pingPong,
  pingPong64,
  pingPong1000,
  echoServer,
  writesOf16,
  writesOf100,
  writesOf1k,
  answerLines,
  smallReads,
  forAwait,
  connectionCycle,
  connectionCycleUnix,
  connectionCycleTls,
  idleConnections,
  idleConnectionsUnix,
  idleConnectionsTls,
  fairness,
  sendTcp,
  receiveUnix,
  sendUnix,
  receiveTls,
  sendTls,
  udp,
  redis,
  coldImport,
];
