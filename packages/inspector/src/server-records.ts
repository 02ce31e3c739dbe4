// What the inspector remembers of the servers that are open.
import { formatEndpoint, type Server } from '@rxsock/core';
import type { ServerDropMessage } from '@rxsock/core/diagnostics';
import type { ServerRow } from './messages.js';
import { nameOf } from './socket-record.js';

interface ServerRecord {
  accepted: number;
  dropped: number;
  lastDrop: string;
}

export class ServerRecords {
  readonly #records = new Map<Server, ServerRecord>();

  /** Returns the record of a server, also of one that is not known yet. */
  of(server: Server): ServerRecord {
    const known = this.#records.get(server);
    if (known) return known;
    const record = { accepted: 0, dropped: 0, lastDrop: '' };
    this.#records.set(server, record);
    return record;
  }

  noteDrop({ server, reason, remote, error }: ServerDropMessage<Server>): void {
    const record = this.of(server);
    record.dropped++;
    record.lastDrop = [reason, remote && formatEndpoint(remote), error?.code].filter(Boolean).join(' ');
  }

  delete(server: Server): void {
    this.#records.delete(server);
  }

  get rows(): ServerRow[] {
    return [...this.#records].map(([server, record]) => ({
      id: server.id,
      name: nameOf(server),
      type: server.type,
      state: server.readyState,
      address: server.address ? formatEndpoint(server.address) : '',
      sockets: server.sockets.size,
      ...record,
    }));
  }
}
