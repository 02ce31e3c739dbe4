// Generations of a server of TCP.
import { listen } from '@rxsock/core';
import { run } from './generations.mjs';

run((fd) => listen(fd === undefined ? {} : { fd }));
