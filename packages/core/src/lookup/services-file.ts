// Where the system keeps its table of services.
import { join } from 'node:path';

/** The system's services file. */
export const SERVICES_FILE =
  process.platform === 'win32'
    ? join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'drivers', 'etc', 'services')
    : '/etc/services';
