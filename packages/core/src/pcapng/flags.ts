// The flags of TCP, and who sends.

/** Which side of a connection sends. */
export type Sender = 'client' | 'server';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
