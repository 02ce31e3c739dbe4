// The entry point @rxsock/core/capture: sockets recorded to files that Wireshark opens.

export { type Capture, type CaptureOptions, capture, type DatagramSource } from './capture.js';
