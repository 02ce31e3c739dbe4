// The public API of @rxsock/inspector.
export { type InspectOptions, type Inspector, inspect } from './inspect.js';
