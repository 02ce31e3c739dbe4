// A haproxy in front of a server, on a free port.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type Listening, startSilent } from './listening-programs.js';
import { Program } from './program.js';

/** What a frontend is made of. */
export interface Frontend {
  /** More of its line `bind`. */
  readonly bind?: string;
  /** Its other lines. */
  readonly lines: readonly string[];
}

/** Starts haproxy with one frontend. It ends with the test. @param folder For its configuration. */
export async function haproxy(folder: string, { bind = '', lines }: Frontend): Promise<Listening> {
  const listening = await startSilent((port) => {
    const file = join(folder, 'haproxy.cfg');
    const limits = ['timeout connect 5s', 'timeout client 30s', 'timeout server 30s'];
    const front = ['frontend front', `bind 127.0.0.1:${port} ${bind}`, ...lines];
    writeFileSync(file, `${['defaults', 'mode tcp', ...limits, ...front].join('\n')}\n`);
    return new Program('haproxy', ['-db', '-f', file]);
  });
  onTestFinished(() => listening[Symbol.asyncDispose]());
  return listening;
}

/** Passes everything on to a server. @param server The rest of its line `server`. */
export function passingTo(server: string, bind?: string): Frontend {
  return { ...(bind && { bind }), lines: ['default_backend back', 'backend back', `server one ${server}`] };
}
