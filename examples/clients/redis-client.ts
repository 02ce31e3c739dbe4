// A Redis client: pipelined commands, pushes between the replies, and a login on every connection.
import type { Socket } from '@rxsock/core';
import { connect, exchange, flowFrom, framed, lines, mapWithBackpressure, reader, reconnect } from '@rxsock/core';
import { catchError, filter, map, of } from 'rxjs';
import { fail, messageOf, printable, untilCtrlC } from '../cli.js';
import { commandLine, parsePort } from '../kit/command-line.js';
import { command, format, type Resp, RespError, RespPush, respCodec } from './codecs/resp.js';

const program = commandLine(
  'redis-client',
  'Sends each line of its input as a command, and prints the replies in order. Reconnects.',
)
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', parsePort)
  .option('--user <name>', 'logs in with this name; the password is in the environment variable REDIS_PASSWORD')
  .option('--subscribe <channels...>', 'prints what is published there, until Ctrl-C', [])
  .option('--track', 'prints which keys change, until Ctrl-C', false)
  .addHelpText('after', '\nTry it with any server:\n  echo PING | redis-client 127.0.0.1 6379')
  .parse();
const [host, port] = program.processedArgs as [string, number];
const { user, subscribe: channels, track } = program.opts<{ user?: string; subscribe: string[]; track: boolean }>();

/** The server refuses the name or the password, and would again. */
class RefusedError extends Error {}

/** Asks for RESP3, and logs in. Nothing else is sent before that. */
async function logIn(socket: Socket): Promise<void> {
  using replies = reader(socket);
  const login = user === undefined ? [] : ['AUTH', user, process.env.REDIS_PASSWORD ?? ''];
  socket.next(respCodec.encode(command('HELLO', '3', ...login)));
  const reply = await replies.readFrame(respCodec);
  if (reply instanceof Map) return;
  const text = reply instanceof RespError ? reply.message : 'The server has ended the connection';
  // Another error may pass, such as LOADING after a restart.
  throw /^(WRONGPASS|NOAUTH|NOPERM)/.test(text) ? new RefusedError(text) : new Error(text);
}

const connection = reconnect(() => connect({ host, port }), {
  setup: logIn,
  shouldRetry: (error) => !(error?.cause instanceof RefusedError),
  signal: untilCtrlC(),
});
const messages = framed(connection, respCodec);
const redis = exchange<Resp>(messages, { isPush: (message) => message instanceof RespPush });

redis.unsolicited.subscribe({ next: (push) => console.log(printable(`* ${format(push)}`)), error: () => {} });

/** Commands that are answered by pushes, by more than one reply or by none, or that change what a reply looks like. */
const withoutReply = /^([ps]?(un)?subscribe|monitor|hello|client reply)\b/i;

// A command that is lost with its connection is not sent again: the server may have obeyed it.
const ask = (words: string[]) => {
  if (withoutReply.test(words.join(' ')))
    return of('(refused) the reply of another command would be taken for its own');
  const lost = (error: unknown) => of(`(lost) ${messageOf(error)}`);
  return redis.request(command(...words)).pipe(map(format), catchError(lost));
};
const words = map((line: string) => line.split(' ').filter((word) => word !== ''));
const isCommand = filter(({ length }: string[]) => length > 0);
const input = flowFrom<Buffer>(process.stdin)
  .pipe(lines(), words, isCommand, mapWithBackpressure(ask, { concurrency: 100 }))
  .subscribe({
    next: (reply) => console.log(printable(reply)),
    error: fail,
    complete: () => channels.length > 0 || track || connection.complete(),
  });

const events = connection.subscribe({
  next: (event) => {
    if (event.type === 'disconnect' && event.error) console.error(`* ${messageOf(event.error)}`);
    if (event.type === 'retry') console.error(`* attempt ${event.attempt} in ${Math.round(event.delay)} ms`);
    if (event.type !== 'connect') return;
    // On every connection, before the commands that wait. In RESP3, SUBSCRIBE gets a push and no reply.
    if (channels.length > 0) messages.next(command('SUBSCRIBE', ...channels));
    if (track) redis.request(command('CLIENT', 'TRACKING', 'ON', 'BCAST')).subscribe({ error: () => {} });
  },
  error: fail,
});
// The end of the connection stops reading the input.
events.add(input);
