// A successor that becomes ready, does not, or exits at once, as its argument says. After it is ready it may
// disconnect. It answers with the names of the inherited listeners.
import { listen, on, serve } from '@rxsock/core';
import { inheritedListeners } from '@rxsock/core/process';
import { merge } from 'rxjs';

const [how] = process.argv.slice(2);
const inherited = inheritedListeners();

if (how === 'exits') process.exit(7);
// Other messages do not count.
process.send('almost ready');
const servers = inherited.map(({ fd, name }) => {
  const server = listen({ fd });
  server.pipe(serve(() => `${name} of ${process.env.OWN ?? 'nobody'} in ${process.cwd()}`)).subscribe();
  return server;
});
let left = servers.length;
merge(...servers.map((server) => server.pipe(on('listening')))).subscribe(() => {
  left--;
  if (left === 0 && how === 'ready') process.send('ready');
  if (left === 0 && how === 'hangs-up') process.send('ready', () => process.disconnect());
});
