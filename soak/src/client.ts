// The main module of a client process. clients.ts starts it with the name of a scenario and a job.
import { once } from 'node:events';
import { budgetClient } from './budget/client.js';
import type { Client, ClientMessage } from './clients.js';
import { cyclesClient } from './cycles/client.js';
import { holdClient } from './hold/client.js';
import { measured } from './measured.js';
import { relayClient } from './relay/client.js';

// biome-ignore lint/suspicious/noExplicitAny: each client has a job of its own type, and gets it as JSON.
const clients: Readonly<Record<string, Client<any>>> = {
  hold: holdClient,
  cycles: cyclesClient,
  relay: relayClient,
  budget: budgetClient,
};

const [scenario = '', job = ''] = process.argv.slice(2);
const run = clients[scenario];
if (!run) throw new Error(`The scenario ${scenario} has no client`);

const say = (message: ClientMessage) => process.send?.(message);
const waitForAll = async (waiting: string) => {
  say({ waiting });
  await once(process, 'message');
};
process.on('disconnect', () => process.exit());
// Without a listener, Node closes the channel to the parent.
process.on('message', () => {});
say({ report: await measured('client', (findings, queues) => run(JSON.parse(job), findings, queues, waitForAll)) });
process.disconnect();
