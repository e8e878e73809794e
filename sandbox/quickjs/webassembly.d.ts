/** The little of WebAssembly that the engine needs; TypeScript has it only in the DOM library. */
declare namespace WebAssembly {
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number });
    grow(pages: number): number;
  }
  function compile(bytes: Uint8Array): Promise<Module>;
}
