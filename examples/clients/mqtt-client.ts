// An MQTT client over TLS: publishes with QoS 1, and loses nothing when the server is restarted.
import { readFileSync } from 'node:fs';
import { flowFrom, lines, mapWithBackpressure, type ReconnectEvent } from '@rxsock/core';
import { connect, createSecureContext } from '@rxsock/tls';
import { finalize, merge, type Observable, tap } from 'rxjs';
import { fail, untilCtrlC } from '../cli.js';
import { commandLine, parsePort, parseText, wholeNumber } from '../kit/command-line.js';
import { mqtt } from './lib/mqtt.js';

const program = commandLine(
  'mqtt-client',
  'Publishes each line of its input to a topic, and prints what comes to that topic. Reconnects.',
)
  .argument('<host>', 'the server, by the name in its certificate')
  .argument('<port>', 'its port', parsePort)
  .argument('<topic>', 'the topic, such as "rooms/kitchen"', parseText(/^[^+#\0]+$/, 'a topic, without + and #'))
  .option('--ca <file>', 'the certificates to trust instead of the default ones')
  .option('--cert <file>', 'the certificate of this client')
  .option('--key <file>', 'its key')
  .option('--id <name>', 'the name of this client', `rxsock-${process.pid}`)
  .option('--keep-alive <s>', 'how often to ask whether the server is there, in seconds', wholeNumber(1, 65_535), 30)
  .addHelpText('after', '\nTry it with mosquitto:\n  echo hello | mqtt-client --ca ca.pem localhost 8883 rooms/kitchen')
  .parse();
const [host, port, topic] = program.processedArgs as [string, number, string];
const { id, keepAlive, ...files } = program.opts<{ id: string; keepAlive: number } & Record<string, string>>();

const read = (file?: string) => (file === undefined ? undefined : readFileSync(file));
const context = createSecureContext({ ca: read(files.ca), cert: read(files.cert), key: read(files.key) });
const options = { clientId: id, filter: topic, keepAlive, signal: untilCtrlC() };
const client = mqtt(() => connect({ host, port, context }), options);

function report(event: ReconnectEvent): void {
  if (event.type === 'secureConnect') console.error('* connected');
  if (event.type === 'disconnect') console.error(`* ${event.error?.message ?? 'the server ended the connection'}`);
}

function publish(line: string): Observable<unknown> {
  console.error(`> ${line}`);
  return client.publish(topic, Buffer.from(line));
}

// Up to 20 messages may wait for their acknowledgement. Then the input waits.
const input = flowFrom<Buffer>(process.stdin).pipe(
  lines(),
  mapWithBackpressure(publish, { concurrency: 20 }),
  finalize(() => client.close()),
);
const output = client.messages.pipe(tap(({ payload }) => console.log(payload.toString())));
merge(output, input, client.events.pipe(tap(report))).subscribe({ error: fail });
