// An instance of a program. Its arguments are the port and its name. At each message of its parent process it tries to
// be the first instance or, if it is the first, reports later instances and gives the port up. With `cluster` it does
// so in two workers.
import cluster from 'node:cluster';
import { singleInstance } from '@rxsock/core/process';

const [port, name, mode] = process.argv.slice(2);

if (mode === 'cluster' && cluster.isPrimary) {
  const workers = ['one', 'two'].map((worker) => cluster.fork({ WORKER: worker }));
  for (const worker of workers) worker.on('message', (message) => process.send(message));
  process.on('message', (message) => workers.forEach((worker) => void worker.send(message)));
  process.once('disconnect', () => process.exit());
} else {
  const args = [name, process.env.WORKER].filter(Boolean);
  let later = [];
  let subscription;
  const acquire = () => {
    later = [];
    subscription = singleInstance({ name: 'contest', port: Number(port), args }).subscribe({
      next: (event) => (event.type === 'acquired' ? process.send('first') : later.push(event)),
      error: ({ code, delivered, pid }) => {
        subscription = undefined;
        process.send({ code, delivered, pid });
      },
    });
  };
  const release = () => {
    subscription.unsubscribe();
    subscription = undefined;
    process.send(later);
  };
  process.on('message', () => (subscription ? release() : acquire()));
  process.once('disconnect', () => process.exit());
  process.send('here');
}
