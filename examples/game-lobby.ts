// Rock, paper, scissors for whoever comes: players meet in pairs, and who is left alone waits for the next one.
import { listen, type Reader, reader, type Socket, serve } from '@rxsock/core';
import { filter, find, firstValueFrom, from, ReplaySubject, takeUntil } from 'rxjs';
import * as cli from './cli.js';

const { host, port, drain } = cli
  .serverCommand('game-lobby', 'Lets people play rock, paper, scissors in pairs.')
  .addHelpText('after', '\nTry it, in two terminals:\n  nc 127.0.0.1 <port>')
  .parse()
  .opts<cli.ServerOptions>();

const moves = ['rock', 'paper', 'scissors']; // each beats the one before it
const outcomes = ['nobody wins', 'you win', 'you lose'];

/** What somebody has chosen in which round; it completes when they leave. */
type Hand = ReplaySubject<{ readonly round: number; readonly move: number }>;

let waiting: { readonly hand: Hand; meet(rival: Hand): void } | undefined;

function rivalFor(hand: Hand): Promise<Hand> {
  const other = waiting;
  waiting = undefined;
  other?.meet(hand);
  if (other) return Promise.resolve(other.hand);
  return new Promise((meet) => {
    waiting = { hand, meet };
  });
}

async function* choose(typed: Reader): AsyncGenerator<string, number | undefined> {
  for (;;) {
    yield `* ${moves.join(', ')}?\n`;
    const line = await typed.readLine();
    const move = moves.indexOf(line?.trim().toLowerCase() ?? '');
    if (line === undefined) return undefined;
    if (move >= 0) return move;
  }
}

// What a handler yields is what its client gets. Between two reads the socket is held: who types ahead has to wait.
async function* play(socket: Socket): AsyncGenerator<string> {
  for (;;) {
    const hand: Hand = new ReplaySubject(1);
    try {
      yield '* waiting for somebody to play with\n';
      // What is typed meanwhile is dropped; but it has to be read, for else nobody would see that a player leaves.
      const left = socket.pipe(filter(({ type }) => type === 'end'));
      const rival = await firstValueFrom(from(rivalFor(hand)).pipe(takeUntil(left)), { defaultValue: undefined });
      if (!rival) return;
      yield '* here is somebody\n';
      using typed = reader(socket, { timeout: 300_000, maxLength: 100 });
      for (let round = 1; ; round++) {
        const mine = yield* choose(typed);
        if (mine === undefined) return;
        hand.next({ round, move: mine });
        const theirs = await firstValueFrom(rival.pipe(find((chosen) => chosen.round === round)));
        if (!theirs) break;
        yield `* ${moves[mine]} against ${moves[theirs.move]}: ${outcomes[(mine - theirs.move + 3) % 3]}\n`;
      }
      yield '* the other one has left\n';
    } finally {
      hand.complete();
      if (waiting?.hand === hand) waiting = undefined;
    }
  }
}

const server = listen({ host, port });

server.pipe(serve(play)).subscribe({ next: cli.printEvent, error: cli.fail });

cli.onCtrlC(() => server.close({ drain }));
