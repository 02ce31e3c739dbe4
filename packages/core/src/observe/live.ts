// The sockets and servers of this process that are open now, or on the way there. Those of the system are always
// listed: one entry of a Set costs nothing beside a descriptor, and whoever asks later misses none.

/** Sockets from their dial, or from their accept, until they are closed. */
export const liveSockets = new Set<object>();
/** Servers from their first subscription until they are closed. */
export const liveServers = new Set<object>();
/** Datagram sockets from the moment they begin to open until they are closed. */
export const liveDatagramSockets = new Set<object>();
