import { connect, data, listen, type Socket, through } from '@rxsock/core';
import { delayWhen, lastValueFrom, map, of, reduce } from 'rxjs';
import { describe, expect, test } from 'vitest';
import { run } from '../support/program.js';
import { startSpamd } from '../support/spamd.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { turns } from '../support/turns.js';
import { serving } from './support.js';

/** All the bytes of a socket as text, when its peer has half-closed. */
const whole = (socket: Socket) =>
  socket.pipe(
    data(),
    reduce((text, bytes) => text + bytes.toString('latin1'), ''),
  );

describe('spamd', () => {
  test('answers a request without a length when we have half-closed', async () => {
    await using folder = await temporaryFolder();
    await using spamd = await startSpamd(folder.path);
    const ask = (request: string) =>
      lastValueFrom(
        of(request).pipe(
          through(() => connect({ host: '127.0.0.1', port: spamd.port })),
          reduce((text, bytes) => text + bytes.toString('latin1'), ''),
        ),
      );

    expect(await ask('PING SPAMC/1.5\r\n\r\n')).toMatch(/^SPAMD\/[\d.]+ 0 PONG\r\n$/);
    const symbols = (message: string) => ask(`SYMBOLS SPAMC/1.5\r\n\r\nSubject: hi\r\n\r\n${message}\r\n`);
    expect(await symbols('buy rxsock-spam')).toMatch(
      /^SPAMD\/[\d.]+ 0 EX_OK\r\n(.+\r\n)*Spam: True ; 10\.0 \/ 5\.0\r\n\r\nRXSOCK$/,
    );
    expect(await symbols('hello')).toMatch(/^SPAMD\/[\d.]+ 0 EX_OK\r\n(.+\r\n)*Spam: False ; 0\.0 \/ 5\.0\r\n\r\n$/);
  });
});

describe('spamc', () => {
  const message = `Subject: hi\n\n${'buy this\n'.repeat(10_000)}`;

  test('receives its answer from serve(), which begins after its FIN', async () => {
    const requests: string[] = [];
    const { address, errors } = await serving(listen(), (socket) =>
      whole(socket).pipe(
        delayWhen(() => turns()),
        map((request) => {
          requests.push(request);
          return 'SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: True ; 10.0 / 5.0\r\n\r\n';
        }),
      ),
    );

    const spamc = await run('spamc', ['-c', '-d', '127.0.0.1', '-p', `${address.port}`], message);

    // Spam. Without an answer it would say 0/0 and exit with 0.
    expect(await spamc.exited).toBe(1);
    expect(spamc.stdout).toBe('10.0/5.0\n');
    expect(requests).toEqual([expect.stringMatching(/^CHECK SPAMC\/[\d.]+\r\n/)]);
    expect(requests[0]?.endsWith(`\r\n\r\n${message}`)).toBe(true);
    expect(errors).toEqual([]);
  });
});
