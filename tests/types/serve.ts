// What serve() takes for a handler. Compiled, never run: it is right if it compiles.
import { connect, data, listen, relay, serve } from '@rxsock/core';
import { NEVER, Observable, of } from 'rxjs';

export const servers = [
  listen().pipe(serve(() => 'a chunk')),
  listen().pipe(serve(async (socket) => socket.name)),
  listen().pipe(serve((socket) => socket)),
  listen().pipe(serve((socket) => (socket.name ? socket : 'a chunk'))),
  listen().pipe(serve((socket) => (socket.name ? NEVER : of('a chunk')))),
  listen().pipe(serve((socket) => socket.pipe(data()))),
  listen().pipe(serve((socket) => relay(socket, connect({ port: 80 })))),
  listen().pipe(serve(() => new Observable((subscriber) => subscriber.next('a chunk')))),
  listen().pipe(serve(async (socket) => await socket.write('the handler writes itself'))),
  // @ts-expect-error A handler that returns nothing has probably forgotten its pipeline.
  listen().pipe(serve((socket) => void socket.next('a chunk'))),
  // @ts-expect-error A number is no chunk.
  listen().pipe(serve(() => of(7))),
];

servers[0]?.subscribe((event) => {
  if (event.type === 'listening') console.log(event.address.port);
});
