// The path of the system's services file. In a file of its own so that tests can replace it.
import { join } from 'node:path';

/** The path of the system's services file. */
export const SERVICES_FILE =
  process.platform === 'win32'
    ? join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'drivers', 'etc', 'services')
    : '/etc/services';
