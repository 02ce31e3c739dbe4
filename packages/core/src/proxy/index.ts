// The entry point @rxsock/core/proxy: connections through proxies.

export { type HttpConnectOptions, httpConnect } from './http-connect.js';
export type { ProxyAddress } from './proxy-socket.js';
export { type Socks5Options, socks5 } from './socks5.js';
