// The programs of other people that the tests talk to, and files that they need. This is the only list of them:
// `npm run programs` installs by it.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The Debian package of each program or file. */
export const debianPackages = {
  '/etc/services': 'netbase',
  aiosmtpd: 'python3-aiosmtpd',
  chromium: 'chromium',
  curl: 'curl',
  dnsmasq: 'dnsmasq-base',
  editcap: 'wireshark-common',
  'gnutls-cli': 'gnutls-bin',
  'gnutls-serv': 'gnutls-bin',
  haproxy: 'haproxy',
  initdb: 'postgresql',
  microsocks: 'microsocks',
  mosquitto: 'mosquitto',
  'nats-server': 'nats-server',
  nc: 'netcat-openbsd',
  ngircd: 'ngircd',
  openssl: 'openssl',
  perl: 'perl-base',
  postgres: 'postgresql',
  python3: 'python3',
  'redis-server': 'redis-server',
  sh: 'dash',
  socat: 'socat',
  spamc: 'spamc',
  spamd: 'spamd',
  tar: 'tar',
  text2pcap: 'wireshark-common',
  tinyproxy: 'tinyproxy-bin',
  tshark: 'tshark',
};

/** The reason of a skipped test begins with this. The name of the program is behind it. */
export const MISSING = 'missing program: ';

/**
 * The folders where programs are. Daemons are in folders that the PATH of an ordinary user may not have. Debian keeps
 * each version of PostgreSQL in a folder of its own.
 */
export function programFolders() {
  const postgres = '/usr/lib/postgresql';
  const versions = existsSync(postgres) ? readdirSync(postgres) : [];
  const daemons = [
    '/usr/local/sbin',
    '/usr/sbin',
    '/sbin',
    ...versions.map((version) => join(postgres, version, 'bin')),
  ];
  return [...(process.env.PATH ?? '').split(delimiter), ...daemons];
}

/** Whether a program can be started by its name. With a path: whether there is such a file. */
export function isInstalled(program) {
  if (program.includes('/')) return existsSync(program);
  const files = programFolders().map((folder) => join(folder, program));
  return files.some((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
