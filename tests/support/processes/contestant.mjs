// An instance of a program, in a process of its own. Its arguments are the port and its name among the others; at each
// message of its parent it tries to be the first, or, if it is, tells who came later and lets go. With `cluster` it does
// so in two workers.
import cluster from 'node:cluster';
import { singleInstance } from '@rxsock/core';

const [port, own, how] = process.argv.slice(2);

if (how === 'cluster' && cluster.isPrimary) {
  const workers = ['one', 'two'].map((worker) => cluster.fork({ WORKER: worker }));
  for (const worker of workers) worker.on('message', (message) => process.send(message));
  process.on('message', (message) => workers.forEach((worker) => void worker.send(message)));
  process.once('disconnect', () => process.exit());
} else {
  const args = [own, process.env.WORKER].filter(Boolean);
  let later = [];
  let subscription;
  const tryIt = () => {
    later = [];
    subscription = singleInstance({ name: 'contest', port: Number(port), args }).subscribe({
      next: (event) => (event.type === 'acquired' ? process.send('first') : later.push(event)),
      error: ({ code, delivered, pid }) => {
        subscription = undefined;
        process.send({ code, delivered, pid });
      },
    });
  };
  const letGo = () => {
    subscription.unsubscribe();
    subscription = undefined;
    process.send(later);
  };
  process.on('message', () => (subscription ? letGo() : tryIt()));
  process.once('disconnect', () => process.exit());
  process.send('here');
}
