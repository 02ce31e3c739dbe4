// Receives a file from send-file: keeps what it has when the connection is cut, and tells the next sender where to go on.
import { access, constants, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { connections, data, lines, listen, type Socket } from '@rxsock/core';
import { concatMap, find, firstValueFrom, lastValueFrom, tap } from 'rxjs';
import * as cli from './cli.js';

const program = cli
  .serverCommand('receive-file', 'Receives a file from send-file, and ends when it has the whole of it.')
  .argument('<file>', 'where to save it; until it is whole, its name ends in ".part"')
  .addHelpText('after', '\nTry it:\n  receive-file --port 9000 copy.iso')
  .parse();
const { host, port, drain } = program.opts<cli.ServerOptions>();
const [path] = program.processedArgs as [string];
const part = `${path}.part`;

/** Takes what a sender has to send; whether the file is then whole. */
async function receive(socket: Socket): Promise<boolean> {
  let received = await stat(part).then(
    ({ size }) => size,
    () => 0,
  );
  try {
    const firstLine = socket.pipe(data(), lines({ maxLength: 20 }));
    const total = Number.parseInt(await firstValueFrom(firstLine, { defaultValue: '' }), 10);
    if (!(received <= total)) throw new Error(`${part} does not belong to this file, or that is no sender`);
    await using file = await open(part, 'a');
    await socket.write(`${received}\n`);
    using bar = cli.progressBar(total, received);
    // The loop ends at the sender's FIN, and throws if the connection is cut before. The sender waits for the disk.
    for await (const bytes of socket) {
      if (received + bytes.length > total) throw new Error(`More than the announced ${total} bytes came`);
      await file.appendFile(bytes);
      received += bytes.length;
      bar.update(received);
    }
    if (received < total) throw new Error(`Only ${received} of ${total} bytes came`);
    await file.sync();
    await rename(part, path);
  } catch (error) {
    if (received === 0) await rm(part, { force: true });
    socket.error(error);
    console.error(`${cli.message(error)}\nSend it again to go on at byte ${received}`);
    return false;
  }
  socket.next('saved\n');
  await socket.close();
  console.log(`Received ${path}, ${received} bytes`);
  return true;
}

async function main(): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found && !found.isFile()) throw new Error(`${path} is no file`);
  await access(dirname(path), constants.W_OK);
  // `allowHalfOpen`: the sender gets its answer after its FIN. `keepOpen`: between the line that is read first and the
  // loop nobody reads, and the socket is not to close for that. One sender at a time, for the bytes of two would be mixed.
  const server = listen({ host, port, allowHalfOpen: true, keepOpen: true, idleTimeout: 30_000, maxConnections: 1 });
  cli.onCtrlC(() => server.close({ drain }));
  await lastValueFrom(
    server.pipe(
      tap((event) => cli.printEvent(event)),
      connections(),
      concatMap((socket) => receive(socket)),
      find(Boolean),
    ),
  );
}

main().catch(cli.fail);
