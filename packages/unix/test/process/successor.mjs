// A successor of servers that are known by these names: those of which its arguments tell the paths take care of their files.
// It becomes ready, or gives up and closes them.

import * as tcp from '@rxsock/core';
import { inheritedListeners, on, serve } from '@rxsock/core';
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
