// Receives a file from send-file: what a connection that was cut has brought is kept, and the next one brings the rest.
import { access, constants, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { connections, data, lines, listen, type SaveProgress, type Socket, saveTo } from '@rxsock/core';
import { concatMap, find, firstValueFrom, lastValueFrom, map, tap } from 'rxjs';
import { fail, messageOf, onCtrlC, printEvent, progressBar, sha256 } from './cli.js';
import { type ServerOptions, serverCommandLine } from './kit/command-line.js';

const program = serverCommandLine('receive-file', 'Receives a file from send-file, and ends when the file is complete.')
  .argument('<file>', 'where to save it; what is not complete yet waits beside it, in a hidden file')
  .addHelpText('after', '\nTry it:\n  receive-file --port 9000 copy.iso')
  .parse();
const { host, port, drain } = program.opts<ServerOptions>();
const [path] = program.processedArgs as [string];
const unchecked = `${path}.unchecked`;

/** Receives the rest of the file from one sender. Returns whether the file is complete now. */
async function receive(socket: Socket): Promise<boolean> {
  let received = 0;
  try {
    const firstLine = await firstValueFrom(socket.pipe(data(), lines({ maxLength: 100 })), { defaultValue: '' });
    const [, size, hash] = /^(\d{1,15}) ([0-9a-f]{64})$/.exec(firstLine) ?? [];
    if (hash === undefined) throw new Error('The sender did not say which file it has');
    const total = Number(size);
    using bar = progressBar(total, 0);
    // Throws before saveTo() sees the end, so that a file that is too short waits for the rest.
    const count = tap<Buffer>({
      next: (bytes) => {
        received += bytes.length;
        if (received > total) throw new Error(`Received more than the announced ${total} bytes`);
      },
      complete: () => {
        if (received < total) throw new Error(`Received only ${received} of ${total} bytes`);
      },
    });
    const report = ({ bytesSaved }: SaveProgress, index: number) => {
      bar.update(bytesSaved);
      if (index > 0) return;
      // The first value says how much earlier connections have brought: now the sender may send the rest.
      received = bytesSaved;
      socket.next(`${received}\n`);
    };
    await lastValueFrom(socket.pipe(data(), count, saveTo(unchecked, { resume: true }), map(report)));
    if ((await sha256(unchecked)) !== hash) {
      await rm(unchecked);
      received = 0;
      throw new Error('The file has changed since an earlier connection brought a part of it');
    }
    await rename(unchecked, path);
  } catch (error) {
    socket.error(error);
    console.error(`${messageOf(error)}\nSend it again to resume at byte ${received}`);
    return false;
  }
  socket.next('saved\n');
  await socket.close();
  console.log(`Received ${path}, ${received} bytes`);
  return true;
}

async function main(): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  if (existing && !existing.isFile()) throw new Error(`${path} is not a regular file`);
  await access(dirname(path), constants.W_OK);
  // allowHalfOpen: the sender gets its answer after its FIN. keepOpen: at times nobody reads.
  const server = listen({ host, port, allowHalfOpen: true, keepOpen: true, maxConnections: 1, idleTimeout: 30_000 });
  onCtrlC(() => server.close({ drain }));
  const received = server.pipe(
    tap((event) => printEvent(event)),
    connections(),
    concatMap((socket) => receive(socket)),
    find((complete) => complete),
  );
  await lastValueFrom(received);
}

main().catch(fail);
