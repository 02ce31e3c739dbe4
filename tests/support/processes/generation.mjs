// A TCP server that restarts itself.
import { listen } from '@rxsock/core';
import { run } from './generations.mjs';

run((fd) => listen(fd === undefined ? {} : { fd }));
