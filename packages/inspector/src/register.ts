// node --import @rxsock/inspector/register app.js: the page for a program that does not call inspect() itself.
import { inspect } from './inspect.js';

const { url } = await inspect();
// Not to the standard output, which may be data for another program.
process.stderr.write(`rxsock inspector of process ${process.pid}: ${url}\n`);
