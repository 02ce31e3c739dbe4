// A process that inherits descriptors, and sends its parent process the result. Its argument is JSON: `fd` to listen
// on, or `env` and `names` for inheritedListeners(). There a LISTEN_PID of "own" stands for its own process id.
import { listen, serve } from '@rxsock/core';
import { inheritedListeners } from '@rxsock/core/process';

const { fd, names, env = process.env } = JSON.parse(process.argv[2] ?? '{}');
const { LISTEN_PID: pid } = env;
const failed = ({ name, code, message }) => process.send({ name, code, message });

if (fd === undefined) {
  try {
    process.send(inheritedListeners({ names, env: { ...env, LISTEN_PID: pid === 'own' ? String(process.pid) : pid } }));
  } catch (error) {
    failed(error);
  }
} else {
  const server = listen({ fd });
  const next = (event) => {
    if (event.type === 'listening') process.send({ address: event.address, fd: server.fd });
  };
  server.pipe(serve(() => `child ${process.pid}\n`)).subscribe({ next, error: failed });
  process.once('message', () => server.close().then(() => process.send('closed')));
}
process.once('disconnect', () => process.exit());
