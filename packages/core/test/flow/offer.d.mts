export const MEBIBYTE: number;

export interface Status {
  readonly taken: number;
  readonly resident: number;
  readonly bytesRead: number;
  readonly holds: readonly string[];
}

export interface SlowServer {
  readonly start: Status & { readonly port: number };
  take(count: number): Promise<Status>;
  stop(): Promise<void>;
}

export interface Client {
  readonly sent: number;
  readonly stalled: boolean;
  readonly stalls: number;
  stop(): void;
}

export function startServer(rate?: number): Promise<SlowServer>;
export function offer(port: number, total: number): Promise<Client>;
export function standstill(server: SlowServer, client: Client, total: number): Promise<Status>;
