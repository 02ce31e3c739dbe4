// What a program waits for before its first line runs.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Contender, Scenario } from '../scenario.js';

const run = promisify(execFile);

/** Imports in new processes, and adds up what they measure themselves. */
const importing = (name: string): Contender => {
  const script = `
    const cpu = process.cpuUsage();
    const start = performance.now();
    await import(${JSON.stringify(name)});
    const seconds = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const rss = process.resourceUsage().maxRSS * 1024;
    console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6, rss }));`;
  return async ({ amount }) => {
    const total = { seconds: 0, cpu: 0, rss: 0 };
    for (let n = 0; n < amount; n++) {
      // This folder has the packages in its node_modules.
      const cwd = new URL('../../', import.meta.url);
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { cwd });
      const { seconds, cpu, rss } = JSON.parse(stdout);
      total.seconds += seconds;
      total.cpu += cpu;
      total.rss = Math.max(total.rss, rss);
    }
    return total;
  };
};

export const coldImport: Scenario = {
  name: 'import',
  about: 'imports a package in a new process',
  amount: 10,
  rate: { label: 'imports/s', amount: 1 },
  cost: { label: 'CPU-ms each', amount: 1000 },
  goals: [{ contender: '@rxsock/core', of: 'cpu', atMost: 1.25 }],
  contenders: Object.fromEntries(['rxjs', '@rxsock/core'].map((name) => [name, importing(name)])),
};
