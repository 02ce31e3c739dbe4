// Rock, paper, scissors: the server matches players in pairs, and a player who is alone waits for the next one.
import { listen, type Reader, reader, type Socket, serve } from '@rxsock/core';
import { filter, find, firstValueFrom, from, ReplaySubject, takeUntil } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const { host, port, drain } = serverCommandLine('game-lobby', 'Lets people play rock, paper, scissors in pairs.')
  .addHelpText('after', '\nTry it, in two terminals:\n  nc 127.0.0.1 <port>')
  .parse()
  .opts<ServerOptions>();

const moves = ['rock', 'paper', 'scissors']; // each one beats the one before it
const results = ['nobody wins', 'you win', 'you lose'];

/** The moves of one player, each with its round. Completes when the player leaves. */
type Player = ReplaySubject<{ readonly round: number; readonly move: number }>;

let waiting: { readonly player: Player; start(opponent: Player): void } | undefined;

/** Resolves with an opponent: the player who waits, or the next one to come. */
function opponentFor(player: Player): Promise<Player> {
  const first = waiting;
  waiting = undefined;
  first?.start(player);
  if (first) return Promise.resolve(first.player);
  return new Promise((start) => {
    waiting = { player, start };
  });
}

/** Asks until the player enters a move. Returns `undefined` if the player leaves. */
async function* askForMove(input: Reader): AsyncGenerator<string, number | undefined> {
  for (;;) {
    yield `* ${moves.join(', ')}?\n`;
    const line = await input.readLine();
    if (line === undefined) return undefined;
    const move = moves.indexOf(line.trim().toLowerCase());
    if (move >= 0) return move;
  }
}

// serve() sends the client what the generator yields. The reader holds the socket between two reads, so a player who
// types ahead has to wait.
async function* play(socket: Socket): AsyncGenerator<string> {
  for (;;) {
    const player: Player = new ReplaySubject(1);
    try {
      yield '* waiting for an opponent\n';
      // filter() reads the socket; on('end') does not. A socket that nobody reads cannot report that the player leaves.
      // What the player types meanwhile is dropped.
      const left = socket.pipe(filter(({ type }) => type === 'end'));
      const found = from(opponentFor(player)).pipe(takeUntil(left));
      const opponent = await firstValueFrom(found, { defaultValue: undefined });
      if (!opponent) return;
      yield '* the game begins\n';
      using input = reader(socket, { timeout: 300_000, maxLength: 100 });
      for (let round = 1; ; round++) {
        const move = yield* askForMove(input);
        if (move === undefined) return;
        player.next({ round, move });
        const theirs = await firstValueFrom(opponent.pipe(find((chosen) => chosen.round === round)));
        if (!theirs) break;
        yield `* ${moves[move]} against ${moves[theirs.move]}: ${results[(move - theirs.move + 3) % 3]}\n`;
      }
      yield '* your opponent has left\n';
    } finally {
      player.complete();
      if (waiting?.player === player) waiting = undefined;
    }
  }
}

const server = listen({ host, port });

server.pipe(serve(play)).subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
