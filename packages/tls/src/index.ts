// Everything a user of @rxsock/tls imports.

export type { ClientOptions } from './client.js';
export { type ConnectOptions, connect } from './connect.js';
export { createSecureContext, SecureContext, type SecureContextOptions } from './context.js';
export { AlertError, CertificateError } from './errors.js';
export { type ListenOptions, listen, SecureServer } from './listen.js';
export type { AlpnChoice, NameOptions, ServerIdentity, ServerOptions } from './server.js';
export { systemCertificates } from './system-certificates.js';
export { type ClientUpgradeOptions, type ServerUpgradeOptions, type UpgradeOptions, upgrade } from './upgrade.js';
