// Everything a user of @rxsock/tls imports.
export {};
