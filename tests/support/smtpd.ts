// Runs aiosmtpd, a mail server in Python.
import { writeFile } from 'node:fs/promises';
import type { KeyPair } from './certificates.js';
import type { Listening } from './listening-programs.js';
import { needProgram } from './need-program.js';
import { Program } from './program.js';

/**
 * A mail server, which prints its connections, logins and mails. The user ann has the password "secret".
 * @param pair Without one, it does not offer STARTTLS.
 */
export async function startSmtpd(
  folder: string,
  pair: KeyPair | undefined,
  requiresLogin: boolean,
): Promise<Listening> {
  needProgram('aiosmtpd');
  const files = pair ? [`${folder}/smtpd.pem`, `${folder}/smtpd.key`] : ['', ''];
  if (pair) await Promise.all([writeFile(files[0]!, pair.cert), writeFile(files[1]!, pair.key)]);
  const script = new URL('smtpd.py', import.meta.url).pathname;
  // Debian's Python, which has Debian's packages.
  const program = new Program('/usr/bin/python3', ['-I', script, ...files, requiresLogin ? 'yes' : 'no']);
  const [, port] = await program.printed(/^listening on (\d+)\n/);
  return { program, port: Number(port), [Symbol.asyncDispose]: () => program[Symbol.asyncDispose]() };
}
