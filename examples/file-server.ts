// Gives files by their names: a line comes, and its answer is the size of the file in a line, and the file.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { type Chunk, data, lines, listen, type Socket, sendFile, serve } from '@rxsock/core';
import { concat, concatMap, ignoreElements, type Observable, of, take } from 'rxjs';
import * as cli from './cli.js';

const program = cli
  .serverCommand('file-server', 'Gives the files of a folder, without those in folders below it and hidden ones.')
  .argument('<folder>', 'whose files to give')
  .addHelpText('after', '\nTry it:\n  echo README.md | nc -N 127.0.0.1 <port>')
  .parse();
const { host, port, drain } = program.opts<cli.ServerOptions>();
const [folder] = program.processedArgs as [string];

/** The size of a file that may be given. */
async function sizeOf(name: string): Promise<number | undefined> {
  if (name.startsWith('.') || name !== path.basename(name)) return undefined;
  const found = await stat(path.join(folder, name)).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

function give(socket: Socket): Observable<Chunk> {
  return socket.pipe(
    data(),
    lines({ maxLength: 255, frameTimeout: 10_000 }),
    take(1),
    concatMap(async (name) => ({ name, size: await sizeOf(name) })),
    concatMap(({ name, size }) => {
      if (size === undefined) return of('There is no such file\n');
      // Exactly as much as was announced. If it cannot be sent the client is reset, and does not take a part for the whole.
      const file = sendFile(socket, path.join(folder, name), { to: size, end: false });
      return concat(of(`${size}\n`), file.pipe(ignoreElements()));
    }),
  );
}

const server = listen({ host, port, idleTimeout: 60_000 });

server.pipe(serve(give)).subscribe({ next: cli.printEvent, error: cli.fail });

cli.onCtrlC(() => server.close({ drain }));
