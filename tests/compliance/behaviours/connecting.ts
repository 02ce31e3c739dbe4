// When a socket dials, and what may be done before there is a connection.
import { data, on, type SocketEvent } from '@rxsock/core';
import { defer, firstValueFrom, map, retry } from 'rxjs';
import { expect } from 'vitest';
import { readAll, recordStory } from '../support/story.js';
import { topic } from '../support/topic.js';
import { until } from '../support/until.js';

export const connecting = topic('Connecting', (behaviour) => {
  behaviour('a socket does not dial before something subscribes to it', ['server'], async ({ listening, settle }) => {
    const { dial, server } = await listening();
    const socket = dial();
    socket.next('kept');
    await settle();
    expect([socket.readyState, server.sockets.size, socket.writableLength]).toEqual(['idle', 0, 4]);
  });

  behaviour('bytes written before dialling arrive first, and in order', ['server'], async ({ listening }) => {
    const { dial, next } = await listening();
    const socket = dial();
    socket.next('one ');
    socket.next('two ');
    recordStory(socket);
    socket.next('three');
    socket.complete();
    expect(`${await readAll(await next())}`).toBe('one two three');
  });

  behaviour('a subscription dials, and bytes written while dialling arrive', ['server'], async ({ listening }) => {
    const { dial, next } = await listening();
    const socket = dial();
    recordStory(socket);
    const written = socket.write('hello');
    expect(['resolving', 'connecting']).toContain(socket.readyState);
    socket.complete();
    await written;
    expect(`${await readAll(await next())}`).toBe('hello');
  });

  behaviour('write() dials', ['server'], async ({ listening }) => {
    const { dial, next } = await listening();
    await dial({ keepOpen: true }).write('hello');
    expect(`${await firstValueFrom((await next()).pipe(data()))}`).toBe('hello');
  });

  behaviour('complete() before the connection is open sends the written bytes, then FIN', ['server'], async (lab) => {
    const { dial, next } = await lab.listening();
    const socket = dial();
    socket.next('all of it');
    socket.complete();
    expect(`${await readAll(await next())}`).toBe('all of it');
    await until(() => socket.readyState === 'closed');
  });

  behaviour('close() does not dial if nothing was written', ['server'], async ({ listening, settle }) => {
    const { dial, values } = await listening();
    const report = await dial().close();
    expect(report).toMatchObject({ by: 'local', how: 'fin', bytesWritten: 0, duration: 0 });
    await settle();
    expect(values.map(({ type }) => type)).toEqual(['listening']);
  });

  behaviour('close() after a write dials, delivers the bytes and ends', ['server'], async ({ listening }) => {
    const { dial, next } = await listening();
    const socket = dial();
    socket.next('last words');
    const report = socket.close();
    expect(`${await readAll(await next())}`).toBe('last words');
    expect(await report).toMatchObject({ by: 'local', how: 'fin', bytesWritten: 10, bytesUnsent: 0 });
  });

  behaviour('all subscribers share one connection', ['server'], async ({ listening, settle }) => {
    const { dial, next, server } = await listening();
    const socket = dial();
    const heard = [recordStory(socket), recordStory(socket), recordStory(socket)];
    (await next()).next('for all');
    await until(() => heard.every(({ bytes }) => bytes.length === 7));
    await settle();
    expect(server.sockets.size).toBe(1);
  });

  behaviour('a later subscriber learns that the connection is open', ['server'], async ({ listening }) => {
    const { dial } = await listening();
    const socket = dial();
    const heard: SocketEvent[] = [];
    recordStory(socket);
    await until(() => socket.readyState === 'open');
    recordStory(socket, (event) => heard.push(event));
    expect(heard[0]).toEqual({ type: 'connect', local: socket.local, remote: socket.remote });
  });

  behaviour('an accepted socket loses nothing before its first reader subscribes', ['server'], async (lab) => {
    const { dial, next } = await lab.listening();
    const client = dial();
    client.next('early');
    client.complete();
    const accepted = await next();
    await until(() => client.readyState === 'readOnly');
    await lab.settle();
    expect(`${await readAll(accepted)}`).toBe('early');
  });

  behaviour('defer() with retry() dials again for each attempt', ['server'], async ({ listening }) => {
    const { dial, values } = await listening({ allowHalfOpen: true });
    let left = 2;
    const opened = defer(() => dial({ keepOpen: true }).pipe(on('connect')));
    const selective = opened.pipe(
      map(() => {
        if (left-- > 0) throw new Error('not this one');
        return 'taken';
      }),
      retry(5),
    );
    const results: string[] = [];
    selective.subscribe((result) => results.push(result));
    await until(() => results.length === 1 && values.length === 4);
    expect(values.map(({ type }) => type)).toEqual(['listening', 'connection', 'connection', 'connection']);
  });
});
