// Receives a file from send-file: if the connection is cut, it keeps what it has, and the next transfer resumes there.
import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { connections, data, lines, listen, type Socket } from '@rxsock/core';
import { concatMap, find, firstValueFrom, lastValueFrom, tap } from 'rxjs';
import { fail, messageOf, onCtrlC, printEvent, progressBar, type ServerOptions, serverCommand } from './cli.js';

const program = serverCommand('receive-file', 'Receives a file from send-file, and ends when the file is complete.')
  .argument('<file>', 'where to save it; until it is complete, its name ends in ".part"')
  .addHelpText('after', '\nTry it:\n  receive-file --port 9000 copy.iso')
  .parse();
const { host, port, drain } = program.opts<ServerOptions>();
const [path] = program.processedArgs as [string];
const part = `${path}.part`;

/** Receives the rest of the file from one sender. Returns whether the file is complete now. */
async function receive(socket: Socket): Promise<boolean> {
  let received = await stat(part).then(
    ({ size }) => size,
    () => 0,
  );
  try {
    const firstLine = socket.pipe(data(), lines({ maxLength: 20 }));
    const total = Number.parseInt(await firstValueFrom(firstLine, { defaultValue: '' }), 10);
    if (Number.isNaN(total)) throw new Error('The sender did not say how large the file is');
    if (received > total) throw new Error(`${part} is larger than this file: it belongs to another one`);
    await using file = await open(part, 'a');
    await socket.write(`${received}\n`);
    using bar = progressBar(total, received);
    // The loop ends at the sender's FIN and throws if the connection fails. While the disk writes, the sender waits.
    for await (const bytes of socket) {
      if (received + bytes.length > total) throw new Error(`Received more than the announced ${total} bytes`);
      await file.appendFile(bytes);
      received += bytes.length;
      bar.update(received);
    }
    if (received < total) throw new Error(`Received only ${received} of ${total} bytes`);
    await file.sync();
    await rename(part, path);
  } catch (error) {
    if (received === 0) await rm(part, { force: true });
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
  const server = listen({
    host,
    port,
    allowHalfOpen: true, // the sender gets its answer after its FIN
    keepOpen: true, // nobody reads the socket between the first line and the loop
    maxConnections: 1, // the bytes of two senders would be mixed
    idleTimeout: 30_000,
  });
  onCtrlC(() => server.close({ drain }));
  await lastValueFrom(
    server.pipe(
      tap((event) => printEvent(event)),
      connections(),
      concatMap((socket) => receive(socket)),
      find((complete) => complete),
    ),
  );
}

main().catch(fail);
