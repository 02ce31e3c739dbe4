// Mosquitto on the loopback interface, over TLS, for clients with a certificate.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificateAuthority } from './certificates.js';
import { type Listening, startOnFreePort } from './listening-programs.js';
import { Program } from './program.js';

/** The files of a server and of a client that trust each other. */
export interface MosquittoFiles {
  readonly folder: string;
  /** The options of the example mqtt-client that name its files. */
  readonly client: readonly string[];
}

/** Makes the certificates. */
export async function mosquittoFiles(folder: string): Promise<MosquittoFiles> {
  const authority = await certificateAuthority();
  const server = await authority.issue({ names: ['localhost'] });
  const client = await authority.issue({ names: ['sensor'], client: true });
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  write('server.pem', server.cert);
  write('server.key', server.key);
  const [ca, cert, key] = [write('ca.pem', authority.cert), write('c.pem', client.cert), write('c.key', client.key)];
  return { folder, client: ['--ca', ca, '--cert', cert, '--key', key] };
}

/** Starts it on a free port. It keeps nothing on the disk. */
export function startMosquitto({ folder }: MosquittoFiles): Promise<Listening> {
  return startOnFreePort((port) => mosquitto(folder, port), /running/, 'stderr');
}

/** Starts it again on the port of one that has ended. */
export async function restartMosquitto({ folder }: MosquittoFiles, port: number): Promise<Program> {
  const program = mosquitto(folder, port);
  await program.printed(/running/, 'stderr');
  return program;
}

function mosquitto(folder: string, port: number): Program {
  const lines = [
    `listener ${port} 127.0.0.1`,
    `cafile ${join(folder, 'ca.pem')}`,
    `certfile ${join(folder, 'server.pem')}`,
    `keyfile ${join(folder, 'server.key')}`,
    'require_certificate true',
    'use_identity_as_username true',
    'allow_anonymous false',
    'user root', // it would become a user who may not read the key
    'max_inflight_messages 0',
  ];
  const file = join(folder, 'mosquitto.conf');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return new Program('mosquitto', ['-v', '-c', file]);
}
