// An IRC bot: logs in on every connection, answers in a channel, and comes back when the server was restarted.
import { connect, framed, reader, reconnect, type Socket } from '@rxsock/core';
import { fail, messageOf, printable, untilCtrlC } from '../cli.js';
import { commandLine, parsePort, parseText } from '../kit/command-line.js';
import { type IrcMessage, ircCodec } from './codecs/irc.js';

const program = commandLine(
  'irc-bot',
  'Joins a channel, and tells the time to who says "!time". IRC_PASSWORD is the password of the server.',
)
  .argument('<host>', 'the server')
  .argument('<port>', 'its port', parsePort)
  .argument('<channel>', 'the channel, such as "#rxsock"', parseText(/^[#&][^\s,:]+$/, 'a channel, such as #rxsock'))
  .option('--nick <name>', 'the name of the bot', parseText(/^[^\s:]+$/, 'a name without spaces'), 'rxbot')
  .addHelpText('after', '\nTry it with any IRC server:\n  irc-bot 127.0.0.1 6667 "#rxsock"')
  .parse();
const [host, port, channel] = program.processedArgs as [string, number, string];
const { nick } = program.opts<{ nick: string }>();
const password = process.env.IRC_PASSWORD;
const stopping = untilCtrlC();

/** The server does not want us. It would not want us either if we came again. */
class RefusedError extends Error {}

/** Gives our name, and waits until the server has accepted it. Nothing else is read or sent before that. */
async function logIn(socket: Socket): Promise<void> {
  using replies = reader(socket);
  const send = (command: string, ...params: string[]) => socket.next(ircCodec.encode({ command, params }));
  let name = nick;
  if (password !== undefined) send('PASS', password);
  send('NICK', name);
  send('USER', name, '0', '*', 'a bot made with rxsock');
  for (;;) {
    const reply = await replies.readFrame(ircCodec);
    if (!reply) throw new Error('The server has ended the connection');
    if (reply.command === '001') return;
    if (reply.command === 'PING') send('PONG', ...reply.params);
    // The name is taken, perhaps by our last connection: the server may not know yet that it is lost.
    if (reply.command === '433') {
      name += '_';
      send('NICK', name);
      continue;
    }
    const text = reply.params.at(-1) ?? '';
    if (/^4/.test(reply.command)) throw new RefusedError(text);
    if (reply.command === 'ERROR')
      throw /password|denied|banned/i.test(text) ? new RefusedError(text) : new Error(text);
  }
}

// A server asks for a sign of life every few minutes. Where nothing comes, the connection is lost.
const connection = reconnect(() => connect({ host, port, idleTimeout: 300_000 }), {
  setup: logIn,
  shouldRetry: (error) => !(error?.cause instanceof RefusedError),
});
const irc = framed(connection, ircCodec);

/** What holds something from the server may be too long, or no message at all. That must not end the bot. */
function say(command: string, ...params: string[]): void {
  try {
    irc.next({ command, params });
  } catch (error) {
    console.log(`* not sent: ${messageOf(error)}`);
  }
}

function answer({ from = '', command, params: [target = '', text = ''] }: IrcMessage): void {
  const [sender = ''] = from.split('!');
  if (command === 'PING') say('PONG', target);
  if (command === 'JOIN') console.log(printable(`* ${sender} is in ${target}`));
  // The case of a name does not matter.
  if (command !== 'PRIVMSG' || target.toLowerCase() !== channel.toLowerCase()) return;
  console.log(printable(`<${sender}> ${text}`));
  if (text === '!time') say('PRIVMSG', channel, `${sender}: it is ${new Date().toISOString()}`);
}

irc.subscribe({ next: answer, error: () => {} });
connection.subscribe({
  next: (event) => {
    if (event.type === 'connect') irc.next({ command: 'JOIN', params: [channel] });
    if (event.type === 'disconnect' && event.error) console.log(`* ${messageOf(event.error)}`);
    if (event.type === 'retry') console.log(`* attempt ${event.attempt} in ${Math.round(event.delay)} ms`);
  },
  error: fail,
});

stopping.addEventListener('abort', () => {
  if (connection.readyState === 'open') irc.next({ command: 'QUIT', params: ['good night'] });
  void connection.close({ timeout: 1_000 });
});
