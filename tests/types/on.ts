// What on() takes for the type of an event. Compiled, never run: it is right if it compiles.
import { connect, listen, on, serve } from '@rxsock/core';

const socket = connect({ port: 80 });
const server = listen();

socket.pipe(on('data')).subscribe(({ data }) => data.length);
socket.pipe(on('close')).subscribe(({ report }) => report.bytesRead);
server.pipe(on('listening')).subscribe(({ address }) => address.port);
server
  .pipe(
    serve(() => 'an answer'),
    on('connectionError'),
  )
  .subscribe(({ socket: failed, error }) => [failed, error]);

// @ts-expect-error Errors are notifications, not events.
socket.pipe(on('error'));
// @ts-expect-error A slip of the pen.
socket.pipe(on('ened'));
// @ts-expect-error A socket's event, not a server's.
server.pipe(on('drain'));
