// A server on a path that restarts itself.
import { listen } from '@rxsock/unix';
import { run } from '../../../../tests/support/processes/generations.mjs';

const [path] = process.argv.slice(2);
run((fd) => listen(fd === undefined ? { path } : { fd, path }));
