// Runs ngIRCd.
import { writeFileSync } from 'node:fs';
import { type Listening, startOnFreePort } from './listening-programs.js';
import { Program } from './program.js';

/** An IRC server. It logs to its standard output. */
export function startNgircd(folder: string, password = ''): Promise<Listening> {
  return startOnFreePort((port) => ngircd(folder, port, password), READY, 'stdout');
}

/** Starts an IRC server again on its port. */
export async function restartNgircd(folder: string, port: number, password = ''): Promise<Program> {
  const program = ngircd(folder, port, password);
  await program.printed(READY);
  return program;
}

const READY = /Server "irc\.rxsock\.test" .* ready/;

function ngircd(folder: string, port: number, password: string): Program {
  const file = `${folder}/ngircd-${port}.conf`;
  const global = [
    'Name = irc.rxsock.test',
    'Info = test',
    'AdminInfo1 = test',
    'Listen = 127.0.0.1',
    `Ports = ${port}`,
  ];
  if (password !== '') global.push(`Password = ${password}`);
  // It would ask for the names of its clients, and let them wait after every few commands.
  const options = ['[Options]', 'Ident = no', 'DNS = no', 'PAM = no', '[Limits]', 'MaxPenaltyTime = 0'];
  writeFileSync(file, ['[Global]', ...global, 'MotdPhrase = hello', ...options, ''].join('\n'));
  return new Program('ngircd', ['--nodaemon', '--config', file]);
}
