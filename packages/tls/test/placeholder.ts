// Placeholder until the first test.
export {};
