// Everything a user of @rxsock/udp imports.
export {};
