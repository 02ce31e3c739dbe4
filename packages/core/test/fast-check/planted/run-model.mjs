// Runs the model of sockets on a copy of the library, and prints what it finds as JSON.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, ground, seed] = process.argv.slice(2);
const from = (file) => import(pathToFileURL(join(folder, 'dist', file)).href);
const { socketModel, verifyTransport } = await from('fast-check/index.js');
const { limitShrinking } = await from('fast-check/limit-shrinking.js');
const { connect, listen } = await from('index.js');
const { default: fc } = await import('fast-check');
// A planted fault may lose bytes that nobody waits for.
process.on('warning', () => {});

const checks = {
  async memory() {
    const model = socketModel();
    const property = fc.asyncProperty(model.commands, limitShrinking(model.run));
    const { errorInstance, numRuns } = await fc.check(property, { numRuns: 5000, seed: Number(seed) });
    return errorInstance && { message: errorInstance.message, numRuns };
  },
  tcp: () =>
    verifyTransport(
      { connect: ({ port }) => connect({ host: '127.0.0.1', port }), listen: () => listen() },
      { numRuns: 400, seed: Number(seed) },
    ).catch(({ message }) => ({ message })),
};

const start = performance.now();
const found = await checks[ground]();
const finding = { ...found, milliseconds: Math.round(performance.now() - start) };
process.stdout.write(JSON.stringify(finding), () => process.exit());
