// Everything a user of @rxsock/unix imports.
export {};
