// Run once before the tests: their child processes import the packages by name, and should get what the sources say now.
export { bundle as setup } from './bundle.mjs';
