// A file server: a client sends the name of a file in a line; the answer is its size in a line, and then the file.
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { type Chunk, data, lines, listen, type Socket, sendFile, serve } from '@rxsock/core';
import { concat, concatMap, ignoreElements, type Observable, of, take } from 'rxjs';
import { fail, onCtrlC, printEvent } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const program = serverCommandLine('file-server', 'Serves the files of a folder, without subfolders and hidden files.')
  .argument('<folder>', 'the folder with the files')
  .addHelpText('after', '\nTry it:\n  echo README.md | nc -N 127.0.0.1 <port>')
  .parse();
const { host, port, drain } = program.opts<ServerOptions>();
const [folder] = program.processedArgs as [string];

/** Returns the size of a file; `undefined` if there is no such file, or clients may not have it. */
async function sizeOf(name: string): Promise<number | undefined> {
  if (name.startsWith('.') || name !== path.basename(name)) return undefined;
  const stats = await stat(path.join(folder, name)).catch(() => undefined);
  return stats?.isFile() ? stats.size : undefined;
}

function answer(socket: Socket): Observable<Chunk> {
  return socket.pipe(
    data(),
    lines({ maxLength: 255, frameTimeout: 10_000 }),
    take(1),
    concatMap(async (name) => ({ name, size: await sizeOf(name) })),
    concatMap(({ name, size }) => {
      if (size === undefined) return of('There is no such file\n');
      // Sends exactly the announced size, even if the file grows. If it cannot, it resets the connection, so that the
      // client does not take a part of the file for the whole.
      const file = sendFile(socket, path.join(folder, name), { to: size, end: false });
      return concat(of(`${size}\n`), file.pipe(ignoreElements()));
    }),
  );
}

const server = listen({ host, port, idleTimeout: 60_000 });

server.pipe(serve(answer)).subscribe({ next: printEvent, error: fail });

onCtrlC(() => server.close({ drain }));
