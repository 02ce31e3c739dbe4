// The public API of @rxsock/tls.

export type { AlpnChoice } from './alpn.js';
export type { ClientOptions } from './client-handshake.js';
export { type ConnectOptions, connect } from './connect.js';
export { createSecureContext, SecureContext } from './context.js';
export type { SecureContextOptions } from './context-options.js';
export { AlertError, CertificateError } from './errors.js';
export { type ListenOptions, listen, SecureServer } from './listen.js';
export type { NameOptions, ServerIdentity, ServerOptions } from './server-options.js';
export { systemCertificates } from './system-certificates.js';
export { type ClientUpgradeOptions, type ServerUpgradeOptions, type UpgradeOptions, upgrade } from './upgrade.js';
