// Runs many jobs, so many at a time.

/** @param run Does the job with this number, from 0. */
export async function inParallel(jobs: number, atOnce: number, run: (job: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < jobs) await run(next++);
  };
  await Promise.all(Array.from({ length: Math.min(jobs, atOnce) }, worker));
}
