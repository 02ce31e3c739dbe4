// The connection tables of the Linux kernel, from saved files and from this machine.
import { writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { testFolder } from '../../../../tests/support/temporary-folder.js';
import { KernelTable } from '../../src/engine/kernel-table.js';

const IPV4 = `\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     
   0: 0100007F:9055 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 522445 1 000000001d42dbb6 100 0 0 10 0                    
   1: 0100007F:831D 0100007F:C1B4 01 0027F6D1:00000003 04:00000014 00000000  1000        0 522450 2 00000000fafb7060 20 4 30 10 -1                  
   2: 0100007F:C1B4 0100007F:831D 01 00000000:0001FBE5 00:00000000 00000000  1000        0 522444 1 00000000425fdb04 20 4 30 10 -1                  
 103: 0201A8C0:0050 0100000A:E958 08 0000001A:00000000 01:00000014 00000000     0        0 522444 1 00000000425fdb04 20 4 30 10 -1                  
`;
const IPV6 = `\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:8767 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 526951 1 000000003fff67c9 100 0 0 10 0
   1: 00000000000000000000000001000000:E958 00000000000000000000000001000000:8241 01 00000010:00000000 03:000015B8 00000000     0        0 0 3 00000000c94f16e8
   2: 0000000000000000FFFF00000100007F:8767 0000000000000000FFFF00000100007F:9754 01 00000020:0001FBE5 00:00000000 00000000     0        0 526953 1 000000001b91926e 20 8 0 10 -1
   3: 000080FE00000000A20B54020DFFFEDC:0016 B80D0120020004000600080005000700:C738 01 00000030:00000000 00:00000000 00000000     0        0 526953 1 000000001b91926e 20 8 0 10 -1
`;

const ends = (localAddress: string, localPort: number, remoteAddress: string, remotePort: number) => ({
  localAddress,
  localPort,
  remoteAddress,
  remotePort,
});

async function saved(text: string): Promise<KernelTable> {
  const file = path.join(await testFolder(), 'table');
  writeFileSync(file, text);
  return new KernelTable(file);
}

describe('the saved tables', () => {
  test.for([
    [ends('127.0.0.1', 33565, '127.0.0.1', 49588), 0x27f6d1],
    [ends('127.0.0.1', 49588, '127.0.0.1', 33565), 0],
    [ends('192.168.1.2', 80, '10.0.0.1', 59736), 0x1a],
    [ends('127.0.0.1', 33565, '127.0.0.1', 49589), undefined],
    [ends('127.0.0.1', 33565, '127.0.0.2', 49588), undefined],
  ] as const)('show an IPv4 connection: %o', async ([connection, bytes]) => {
    const table = await saved(IPV4);
    expect(await table.unacknowledged(connection)).toBe(bytes);
  });

  test.for([
    [ends('::1', 59736, '::1', 33345), 0x10],
    [ends('::ffff:127.0.0.1', 34663, '::ffff:127.0.0.1', 38740), 0x20],
    [ends('fe80::254:ba2:dcfe:ff0d%eth0', 22, '2001:db8:4:2:8:6:7:5', 51000), 0x30],
    [ends('::2', 59736, '::1', 33345), undefined],
  ] as const)('show an IPv6 connection: %o', async ([connection, bytes]) => {
    const table = await saved(IPV6);
    expect(await table.unacknowledged(connection)).toBe(bytes);
  });

  test('show every connection of a long table', async () => {
    const line = IPV4.split('\n')[2] as string;
    const ports = Array.from({ length: 2000 }, (_, index) => 10_000 + index);
    const hex = (number: number) => number.toString(16).toUpperCase();
    const lines = ports.map((port) => line.replace('C1B4', hex(port)).replace('0027F6D1', `0000${hex(port)}`));
    const table = await saved(`${lines.join('\n')}\n`);
    const answers = ports.map((port) => table.unacknowledged(ends('127.0.0.1', 33565, '127.0.0.1', port)));
    expect(await Promise.all(answers)).toEqual(ports);
  });

  test('are read once for all who ask in the same turn, and again for those who ask later', async () => {
    const table = await saved(IPV4);
    const connections = [ends('127.0.0.1', 33565, '127.0.0.1', 49588), ends('192.168.1.2', 80, '10.0.0.1', 59736)];
    const open = vi.spyOn(fs, 'open');
    onTestFinished(() => open.mockRestore());
    const answers: Promise<unknown>[] = [];
    for (const connection of connections) {
      answers.push(table.unacknowledged(connection));
      for (let i = 0; i < 10; i++) await undefined;
    }
    expect(await Promise.all(answers)).toEqual([0x27f6d1, 0x1a]);
    expect(open).toHaveBeenCalledTimes(1);
    expect(await table.unacknowledged(connections[1] as (typeof connections)[1])).toBe(0x1a);
    expect(open).toHaveBeenCalledTimes(2);
  });

  test('are read a second time if the connection is missing', async () => {
    const table = await saved('');
    const open = vi.spyOn(fs, 'open');
    onTestFinished(() => open.mockRestore());
    open.mockImplementationOnce(async (file) => {
      const empty = await fs.open(`${file}`);
      const { close } = empty;
      empty.close = async () => {
        await close.call(empty);
        writeFileSync(`${file}`, IPV4);
      };
      return empty;
    });
    expect(await table.unacknowledged(ends('192.168.1.2', 80, '10.0.0.1', 59736))).toBe(0x1a);
  });
});

test('a table that does not exist shows nothing', async () => {
  const table = new KernelTable(path.join(await testFolder(), 'missing'));
  expect(await table.unacknowledged(ends('127.0.0.1', 33565, '127.0.0.1', 49588))).toBeUndefined();
});

test.for([ends('', 1, '', 2), ends('not an address', 1, 'not an address', 2), {}])(
  'a connection without addresses is in no table: %o',
  async (connection) => {
    const table = await saved(IPV4);
    expect(await table.unacknowledged(connection)).toBeUndefined();
  },
);
