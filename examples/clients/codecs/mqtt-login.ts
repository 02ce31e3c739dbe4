// The first packets of an MQTT connection.
import { reader, type Socket } from '@rxsock/core';
import { mqttCodec } from './mqtt.js';

const SERVER_UNAVAILABLE = 3;

/** The server does not accept this client. */
export class RefusedError extends Error {
  /** Whether it may accept the client later. */
  readonly mayPass: boolean;

  constructor(code: number) {
    super(`The server refuses this client (${code})`);
    this.mayPass = code === SERVER_UNAVAILABLE;
  }
}

/** Logs in. The server keeps the subscriptions of this client, and what it misses, as long as it can. */
export async function logIn(socket: Socket, clientId: string, keepAlive: number): Promise<void> {
  using answers = reader(socket);
  socket.next(mqttCodec.encode({ type: 'connect', clientId, cleanSession: false, keepAlive }));
  const answer = await answers.readFrame(mqttCodec);
  if (answer?.type !== 'connack') throw new Error('The server did not answer');
  if (answer.code !== 0) throw new RefusedError(answer.code);
}
