// The numbers of sockets and servers, which tell them apart in logs. A number is given when somebody asks for it.

const ids = new WeakMap<object, number>();
let last = 0;

/** Returns the number of a socket or a server: the same at every call, and of no other one in this process. */
export function idOf(subject: object): number {
  let id = ids.get(subject);
  if (id === undefined) {
    id = ++last;
    ids.set(subject, id);
  }
  return id;
}
