// How many datagrams the kernel has lost, where it tells.
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import type { InternetEndpoint } from '@rxsock/core';
import { canonical } from './address.js';

/** The drops of the one socket at this address; `undefined` where the system does not tell, or there are several. */
export async function kernelDrops(local: InternetEndpoint | undefined): Promise<number | undefined> {
  if (!local) return undefined;
  const table = await readFile(local.family === 'IPv6' ? '/proc/net/udp6' : '/proc/net/udp', 'latin1').catch(() => '');
  const rows = table.split('\n').map((row) => row.trim().split(/\s+/));
  const own = rows.filter(([, address = '']) => isAt(address, local));
  return own.length === 1 ? Number(own[0]?.at(-1)) : undefined;
}

// The kernel writes `0100007F:1F90`: the address in words of four bytes, each in the byte order of the machine.
function isAt(row: string, { address, port, family }: InternetEndpoint): boolean {
  const [words = '', portHex = ''] = row.split(':');
  if (Number.parseInt(portHex, 16) !== port) return false;
  const bytes = Buffer.from(words, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  const text = family === 'IPv4' ? bytes.join('.') : bytes.toString('hex').replaceAll(/(.{4})(?!$)/g, '$1:');
  return canonical(text) === canonical(address);
}
