// How many datagrams the kernel has lost, where it tells.
import { readFile } from 'node:fs/promises';
import type { InternetEndpoint } from '@rxsock/core';

/** The drops of the one socket with this port; `undefined` where the system does not tell, or there are several. */
export async function kernelDrops({ family, port }: InternetEndpoint): Promise<number | undefined> {
  const table = await readFile(family === 'IPv6' ? '/proc/net/udp6' : '/proc/net/udp', 'latin1').catch(() => '');
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`; // as in `0100007F:1F90`
  const rows = table.split('\n').map((row) => row.trim().split(/\s+/));
  const own = rows.filter(([, address]) => address?.endsWith(end));
  return own.length === 1 ? Number(own[0]?.at(-1)) : undefined;
}
