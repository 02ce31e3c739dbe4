// The command that runs built programs: this Node, or the runtime that `npm run runtimes` tries.
const [executable = process.execPath, ...args] = JSON.parse(process.env.RXSOCK_RUNTIME ?? '[]') as string[];

/** The executable, and the arguments before the path of the program. */
export const runtime = { executable, args };
