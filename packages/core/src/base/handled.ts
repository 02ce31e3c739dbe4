// Promises whose rejection may be ignored.

/** Returns the same promise. A rejection that nobody handles is not reported. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
