// Reads from the system how many datagrams the kernel has dropped. Only Linux reports it.
import { readFile } from 'node:fs/promises';
import type { InternetEndpoint } from '@rxsock/core';

/** Returns `undefined` if the system does not report it, or if several sockets have this port. */
export async function kernelDrops({ family, port }: InternetEndpoint): Promise<number | undefined> {
  const table = await readFile(family === 'IPv6' ? '/proc/net/udp6' : '/proc/net/udp', 'latin1').catch(() => '');
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`; // Local addresses look like 0100007F:1F90.
  const rows = table.split('\n').map((row) => row.trim().split(/\s+/));
  const matches = rows.filter(([, localAddress]) => localAddress?.endsWith(suffix));
  return matches.length === 1 ? Number(matches[0]?.at(-1)) : undefined;
}
