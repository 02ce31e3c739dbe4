// A process that listens on a port which other processes listen on too. It answers each connection with its process id.
import { listen, serve } from '@rxsock/core';

const { port } = JSON.parse(process.argv[2]);
const failed = ({ name, code, message }) => process.send({ name, code, message });
const next = (event) => event.type === 'listening' && process.send('listening');
listen({ port, reusePort: true })
  .pipe(serve(() => `child ${process.pid}\n`))
  .subscribe({ next, error: failed });
process.once('disconnect', () => process.exit());
