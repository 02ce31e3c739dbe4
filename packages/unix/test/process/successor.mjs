// Takes over servers by name. Servers whose path is in its arguments manage their files. It becomes ready, or gives up
// and closes them.
import * as tcp from '@rxsock/core';
import { on, serve } from '@rxsock/core';
import { inheritedListeners } from '@rxsock/core/process';
import * as unix from '@rxsock/unix';
import { firstValueFrom } from 'rxjs';

const [how, paths = '{}'] = process.argv.slice(2);
const pathOf = JSON.parse(paths);
const servers = inheritedListeners().map(({ fd, name }) => {
  const path = pathOf[name];
  const server = name === 'tcp' ? tcp.listen({ fd }) : unix.listen(path ? { fd, path } : { fd });
  server.pipe(serve(({ local }) => `${name} at ${local.path ?? local.address}`)).subscribe();
  return server;
});
await Promise.all(servers.map((server) => server.address ?? firstValueFrom(server.pipe(on('listening')))));
if (how === 'gives-up') {
  await Promise.all(servers.map((server) => server.close()));
  process.exit(7);
}
process.send('ready');
process.once('SIGTERM', () => servers.map((server) => server.close()));
