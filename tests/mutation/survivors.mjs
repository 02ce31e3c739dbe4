// A plugin of Stryker: only the mutants that RXSOCK_SURVIVORS lists run. The others count as such that do not compile.

class SurvivorsOnly {
  #survivors = new Set(process.env.RXSOCK_SURVIVORS.split(','));

  async init() {}

  group(mutants) {
    return [mutants.map(({ id }) => id)];
  }

  async check(mutants) {
    const statusOf = (id) => (this.#survivors.has(id) ? 'passed' : 'compileError');
    return Object.fromEntries(mutants.map(({ id }) => [id, { status: statusOf(id), reason: 'killed before' }]));
  }
}

export const strykerPlugins = [{ kind: 'Checker', name: 'survivors', injectableClass: SurvivorsOnly }];
