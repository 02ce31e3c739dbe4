// Finds other copies of this program on the local network: each one announces itself to a multicast group and listens.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { on } from '@rxsock/core';
import { bind, type Message } from '@rxsock/udp';
import {
  concat,
  debounceTime,
  filter,
  groupBy,
  ignoreElements,
  map,
  merge,
  mergeMap,
  of,
  take,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { fail, onCtrlC } from './cli.js';
import { commandLine, parsePort, wholeNumber } from './kit/command-line.js';

const options = commandLine(
  'multicast-discovery',
  'Announces itself on the local network, and lists other programs that do the same.',
)
  .option('--name <name>', 'the name to announce', hostname())
  .option('--group <address>', 'the multicast group', '239.255.77.77')
  .option('--port <number>', 'its port', parsePort, 7077)
  .option('--interface <address>', 'the address of the network to use; 0.0.0.0 lets the system choose', '0.0.0.0')
  .option('--every <ms>', 'the time between two announcements, in milliseconds', wholeNumber(1, 600_000), 1000)
  .addHelpText(
    'after',
    '\nTry it, in two terminals:\n  multicast-discovery --name ann\n  multicast-discovery --name bob',
  )
  .parse()
  .opts<{ name: string; group: string; port: number; interface: string; every: number }>();
const { name, group, interface: network, every } = options;
const remote = { address: group, port: options.port };
const id = randomUUID();

const memberships = [{ group, interface: network }];
const socket = bind({ host: '0.0.0.0', port: remote.port, reuseAddr: true, memberships, multicastInterface: network });
const announce = (word: 'here' | 'gone') => socket.next({ data: `${word} ${id} ${name}`, remote });

/** Parses an announcement. Any program can send anything to the group, so a name must not hold control characters. */
function parse({ data, remote }: Message) {
  const [, word, id, name] = /^(here|gone) ([\da-f-]{36}) (\P{C}{1,60})$/u.exec(data.toString()) ?? [];
  return { word, id, name: `${name} at ${remote.address}` };
}

// groupBy() makes one group for each of the others. The group starts with the first announcement, and ends when the
// other one says that it is gone, or is silent for three intervals.
const others = socket.pipe(
  on('message'),
  map(parse),
  filter((heard) => heard.id !== undefined && heard.id !== id),
  groupBy((heard) => heard.id, {
    duration: (heard) => merge(heard.pipe(filter(({ word }) => word === 'gone')), heard.pipe(debounceTime(3 * every))),
  }),
  mergeMap((heard) =>
    heard.pipe(
      take(1),
      filter(({ word }) => word === 'here'),
      mergeMap(({ name }) => concat(of(`+ ${name}`), heard.pipe(ignoreElements()), of(`- ${name}`))),
    ),
  ),
);

const announcements = timer(0, every).pipe(
  tap(() => announce('here')),
  ignoreElements(),
);
const failure = socket.pipe(
  on('sendError'),
  mergeMap(({ error }) => throwError(() => error)),
);

const running = merge(others, announcements, failure).subscribe({ next: (line) => console.log(line), error: fail });
// close() first sends what is queued: after Ctrl-C, that is the last announcement.
running.add(() => socket.close());
onCtrlC(() => {
  announce('gone');
  running.unsubscribe();
});
