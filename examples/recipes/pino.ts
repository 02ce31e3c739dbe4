// Structured logs of all sockets and servers, with pino: one line of JSON for each refusal, failure and end.
import { data, lines, listen, serve } from '@rxsock/core';
import { channel } from '@rxsock/core/diagnostics';
import pino from 'pino';
import { map } from 'rxjs';

const log = pino({ level: process.env.LOG_LEVEL ?? 'info' });

channel('rxsock:server:listening').subscribe(({ address }) => log.info({ address }, 'listening'));
channel('rxsock:server:drop').subscribe(({ reason, remote, error }) => {
  log.warn({ reason, remote, code: error?.code }, 'connection refused');
});
channel('rxsock:socket:open').subscribe(({ socket, role, remote }) => {
  log.debug({ socket: socket.id, role, remote }, 'connection open');
});
channel('rxsock:socket:close').subscribe(({ socket, role, report, error }) => {
  const { id, name, remote } = socket;
  const failure = error && { code: error.code, cause: codeOf(error.cause), error: error.message };
  log[error ? 'warn' : 'info']({ socket: id, name, role, remote, ...report, ...failure }, 'connection closed');
});

/** What has caused an abort: a `FrameError`, or an error of your own code. */
function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}

const server = listen({ port: Number(process.env.PORT ?? 7000) });
const answer = map((line: string) => `${line}\n`);
server.pipe(serve((socket) => socket.pipe(data(), lines({ maxLength: 1_024 }), answer))).subscribe();
process.once('SIGTERM', () => server.close());
