// Listens on the first path, and then imports a package, the second path, that is a symbolic link.
import { listen } from '@rxsock/unix';

listen({ path: process.argv[2] }).subscribe(async ({ type }) => {
  if (type !== 'listening') return;
  const { default: name } = await import(process.argv[3]);
  console.log(name);
  process.exit();
});
