// How many descriptors a process may open.
import { MachineLimitError } from './scenario.js';

/** What Node itself, the console, the client processes and the servers need. */
const RESERVE = 100;

/** Returns how many connections one process can hold. Node has raised the soft limit to the hard limit already. */
export function connectionsPerProcess(): number {
  const { userLimits } = process.report.getReport() as unknown as { userLimits?: UserLimits };
  const { soft } = userLimits?.open_files ?? { soft: 'unlimited' };
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft) - RESERVE;
}

/** @throws MachineLimitError if a server cannot hold so many connections. */
export function checkDescriptors(connections: number): void {
  const possible = connectionsPerProcess();
  if (connections <= possible) return;
  throw new MachineLimitError(
    `${connections} connections need ${connections + RESERVE} descriptors in the server, and this process may open ` +
      `${possible + RESERVE}: raise the hard limit ("ulimit -Hn ${connections + RESERVE}" as root, or nofile in ` +
      'limits.conf), or take a smaller --scale',
  );
}

interface UserLimits {
  readonly open_files?: { readonly soft: number | 'unlimited' };
}
