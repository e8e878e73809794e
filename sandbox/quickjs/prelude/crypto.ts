import type { GuestKit } from './kit.ts';

/** crypto.randomUUID, getRandomValues and subtle.digest: randomness and hashes come from the child. */
export function installCrypto(kit: GuestKit): void {
  const mostBytes = 65_536;
  const integers = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    BigInt64Array,
    BigUint64Array,
  ];

  function exactBuffer(data: unknown): ArrayBuffer {
    if (data instanceof ArrayBuffer) return data;
    if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice().buffer;
    throw new TypeError('digest needs an ArrayBuffer or a view of one');
  }

  const subtle = {
    async digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
      const named = typeof algorithm === 'object' && algorithm !== null ? Reflect.get(algorithm, 'name') : algorithm;
      return kit.askBytes('digest', String(named).toUpperCase(), exactBuffer(data));
    },
  };

  kit.define('crypto', {
    subtle,
    randomUUID: () => kit.askText('uuid'),
    getRandomValues<T>(view: T): T {
      if (!ArrayBuffer.isView(view) || !integers.some((kind) => view instanceof kind)) {
        throw new TypeError('getRandomValues needs an integer typed array');
      }
      if (view.byteLength > mostBytes) throw new RangeError(`getRandomValues gives at most ${mostBytes} bytes at once`);
      const random = new Uint8Array(kit.askBytes('random', view.byteLength));
      new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(random);
      return view;
    },
  });
}
