// Runs redis-server on a free port, without files. It ends with this process.
import { freePort, startUntil } from '../programs.js';
import type { Address } from '../raw.js';

export async function startRedis(): Promise<Address> {
  const port = await freePort();
  const options = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const redis = await startUntil('redis-server', options, /ready to accept connections/i);
  process.on('exit', () => redis.kill('SIGKILL'));
  return { host: '127.0.0.1', port };
}
