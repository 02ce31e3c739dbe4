// Every optional option takes an explicit undefined. Compiled, never run: it is right if it compiles.
import type * as core from '@rxsock/core';
import type * as fastCheck from '@rxsock/core/fast-check';
import type * as lookup from '@rxsock/core/lookup';
import type * as processes from '@rxsock/core/process';
import type * as registry from '@rxsock/core/registry';
import type * as testing from '@rxsock/core/testing';
import type * as tls from '@rxsock/tls';
import type * as udp from '@rxsock/udp';
import * as unix from '@rxsock/unix';

type OptionalKeys<T> = { [K in keyof T]-?: Record<never, never> extends Pick<T, K> ? K : never }[keyof T];

/** An options type whose every optional property may be `undefined`; an error for any other. */
type TakesUndefined<T extends Explicit<T>> = T;
type Explicit<T> = Record<OptionalKeys<T>, undefined> extends Pick<T, OptionalKeys<T>> ? unknown : never;

/** The options of a method. */
type Last<F> = F extends (...parameters: infer P) => unknown
  ? NonNullable<Required<P> extends [...unknown[], infer O] ? O : never>
  : never;

// @ts-expect-error This is what the types below are checked for.
export type Refused = TakesUndefined<{ readonly timeout?: number }>;

export type Core = [
  TakesUndefined<core.SocketOptions>,
  TakesUndefined<core.TcpOptions>,
  TakesUndefined<core.ConnectOptions>,
  TakesUndefined<core.ListenOptions>,
  TakesUndefined<core.MapWithBackpressureOptions>,
  TakesUndefined<core.ServeOptions>,
  TakesUndefined<core.EndOptions>,
  TakesUndefined<core.DecodeOptions>,
  TakesUndefined<core.DelimitedOptions>,
  TakesUndefined<core.JsonLinesOptions>,
  TakesUndefined<core.LengthPrefixedOptions>,
  TakesUndefined<core.LinesOptions>,
  TakesUndefined<core.NetstringsOptions>,
  TakesUndefined<core.SendFileOptions>,
  TakesUndefined<core.ToAsyncIterableOptions>,
  TakesUndefined<core.ToReadableOptions>,
  TakesUndefined<core.ReaderOptions>,
  TakesUndefined<core.ReconnectOptions>,
  TakesUndefined<core.BackoffOptions>,
  TakesUndefined<core.ConnectionPoolOptions>,
  TakesUndefined<Last<core.Socket['close']>>,
  TakesUndefined<Last<core.Server['close']>>,
  TakesUndefined<Last<core.ReconnectingSocket['close']>>,
  TakesUndefined<Last<core.ConnectionPool['close']>>,
  TakesUndefined<Last<core.Reader['readLine']>>,
];

export type Tools = [
  TakesUndefined<registry.CloseOptions>,
  TakesUndefined<lookup.LookupOptions>,
  TakesUndefined<lookup.ResolveHostOptions>,
  TakesUndefined<lookup.PortFreeOptions>,
  TakesUndefined<lookup.ServicePortOptions>,
  TakesUndefined<lookup.LocalAddressesOptions>,
  TakesUndefined<processes.HandOverOptions>,
  TakesUndefined<processes.InheritedListenersOptions>,
  TakesUndefined<processes.InstanceOptions>,
  TakesUndefined<testing.SocketPairOptions>,
  TakesUndefined<testing.FaultyProxyOptions>,
  TakesUndefined<testing.FaultyPathProxyOptions>,
  TakesUndefined<testing.NetworkFaults>,
  TakesUndefined<testing.RecordingPeerOptions>,
  TakesUndefined<testing.SlicerOptions>,
  TakesUndefined<testing.TimeoutFaultOptions>,
  TakesUndefined<testing.ResetPeerOptions>,
  TakesUndefined<fastCheck.VerifyCodecOptions<string>>,
  TakesUndefined<fastCheck.DelimiterRichOptions>,
];

export type Siblings = [
  TakesUndefined<tls.ConnectOptions>,
  TakesUndefined<tls.ListenOptions>,
  TakesUndefined<tls.SecureContextOptions>,
  TakesUndefined<tls.ServerIdentity>,
  TakesUndefined<tls.NameOptions>,
  TakesUndefined<tls.ClientUpgradeOptions>,
  TakesUndefined<tls.ServerUpgradeOptions>,
  TakesUndefined<udp.BindOptions>,
  TakesUndefined<udp.ConnectOptions>,
  TakesUndefined<udp.Membership>,
  TakesUndefined<udp.RequestOptions>,
  TakesUndefined<udp.MapMessagesOptions>,
  TakesUndefined<Last<udp.DatagramSocket['close']>>,
];

// Unions: the properties that the other variant has may be undefined too.
export const instances: processes.SingleInstanceOptions[] = [
  { name: 'a', port: 1, listen: undefined, connect: undefined, args: undefined, timeout: undefined },
  {
    name: 'a',
    port: undefined,
    listen: () => unix.listen({ path: '/a' }),
    connect: () => unix.connect({ path: '/a' }),
  },
];
unix.connect({ path: '/a', abstract: undefined, connectTimeout: undefined, signal: undefined });
unix.connect({ path: undefined, abstract: 'a' });
unix.listen({ path: '/a', abstract: undefined, fd: undefined, mode: undefined, removeStale: undefined });
unix.listen({ fd: 3, path: undefined, abstract: undefined, mode: undefined, removeStale: undefined });
unix.listen({ path: '/a', backlog: undefined, maxConnections: undefined, claimTimeout: undefined });
// A client of a UNIX socket has no address.
// @ts-expect-error
unix.listen({ path: '/a', maxConnectionsPerAddress: 1 });
export const probes: core.KeepAliveOptions = { delay: 1, interval: undefined, count: undefined };
// @ts-expect-error
export const noDelay: core.KeepAliveOptions = { interval: 1 };
export const upgrade: tls.UpgradeOptions = { isServer: undefined, servername: undefined, verify: undefined };
