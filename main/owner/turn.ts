/** Settles when whatever else waits for this process has been served. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
