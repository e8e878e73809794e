import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import variant from '@jitl/quickjs-wasmfile-release-sync';
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
} from 'quickjs-emscripten-core';

const pageBytes = 64 * 1024;
const initialPages = 256;

/**
 * At 256 KiB and more, deep recursion ends in an exception of the host's own stack and leaves the heap in an unknown
 * state; at 128 KiB the guest gets a clean error (ATTACKS 268).
 */
const stackBytes = 128 * 1024;

/** More than the longest piece of text that the prelude hands over, as JSON. */
const mostTextLength = 1024 * 1024;

/** Room for the small things that the library allocates around a value. */
const spareBytes = 64 * 1024;

const fileName = 'skill.ts';

/** The engine itself broke: its memory may be in any state, and it must not be entered again. */
export class EngineCrash extends Error {
  readonly code = 'engine_crash';
}

export type HostOperation = (operation: string, json: string, bytes: Uint8Array | null) => string | Uint8Array;

export type GuestValue = QuickJSHandle;

/** What became of a piece of guest code; `error` is the thrown value, still inside the guest. */
export type GuestResult = Readonly<{ ok: true; value: GuestValue } | { ok: false; error: GuestValue }>;

/** Where the WebAssembly file stands as it was installed. */
export function installedEngine(): string {
  return createRequire(import.meta.url).resolve('@jitl/quickjs-wasmfile-release-sync/wasm');
}

/** Reads and compiles the WebAssembly file once; a compiled module holds no memory, each engine gets its own. */
export async function compileEngine(wasmFile: string | URL): Promise<WebAssembly.Module> {
  return WebAssembly.compile(readFileSync(wasmFile));
}

/** One QuickJS in its own WebAssembly instance, whose memory cannot grow beyond `memoryMb` MiB. Used for one job. */
export class Engine {
  readonly memoryMb: number;
  readonly #vm: QuickJSContext;
  readonly #malloc: (bytes: number) => number;
  readonly #free: (pointer: number) => void;
  readonly #exhausted: () => boolean;
  #shouldStop: () => boolean = () => false;
  #dispatch: GuestValue | undefined;
  #crashed = false;

  static async create(module: WebAssembly.Module, memoryMb: number): Promise<Engine> {
    const wasmMemory = new WebAssembly.Memory({
      initial: initialPages,
      maximum: Math.max(initialPages, (memoryMb * 1024 * 1024) / pageBytes),
    });
    const grow = wasmMemory.grow.bind(wasmMemory);
    let refusals = 0;
    Object.defineProperty(wasmMemory, 'grow', {
      value: (pages: number) => {
        try {
          return grow(pages);
        } catch (error) {
          refusals += 1;
          throw error;
        }
      },
    });
    let malloc: (bytes: number) => number = () => 0;
    let free: (pointer: number) => void = () => {};
    const own = newVariant(variant, { wasmModule: module, wasmMemory });
    const loaded = await newQuickJSWASMModuleFromVariant({
      ...own,
      importModuleLoader: async () => {
        const load = await own.importModuleLoader();
        if (typeof load !== 'function') throw new EngineCrash('the library has no loader');
        return async (options) => {
          const emscripten = await load(options);
          malloc = (bytes) => emscripten._malloc(bytes);
          free = (pointer) => emscripten._free(pointer);
          return emscripten;
        };
      },
    });
    return new Engine(loaded.newRuntime().newContext(), memoryMb, malloc, free, () => refusals > 0);
  }

  private constructor(
    vm: QuickJSContext,
    memoryMb: number,
    malloc: (bytes: number) => number,
    free: (pointer: number) => void,
    exhausted: () => boolean,
  ) {
    this.#vm = vm;
    this.memoryMb = memoryMb;
    this.#malloc = malloc;
    this.#free = free;
    this.#exhausted = exhausted;
    vm.runtime.setMaxStackSize(stackBytes);
    vm.runtime.setInterruptHandler(() => this.#shouldStop());
  }

  /** True once the guest asked for more memory than it may have. */
  get ranOutOfMemory(): boolean {
    return this.#exhausted();
  }

  /** Asked every few thousand steps of the guest; true ends whatever it is doing, and it cannot catch that. */
  stopWhen(shouldStop: () => boolean): void {
    this.#shouldStop = shouldStop;
  }

  /**
   * Evaluates the prelude and hands it the one host function. That function takes and gives strings, and bytes by
   * copy: no guest object is ever touched by host code, so no getter, proxy or `then` of the guest runs under it.
   */
  install(prelude: string, operate: HostOperation): void {
    const vm = this.#vm;
    const host = vm.newFunction('host', (name, json, buffer) => {
      const bytes = buffer === undefined || vm.typeof(buffer) !== 'object' ? null : this.#copyOut(buffer);
      const result = operate(this.#text(name), this.#text(json), bytes);
      return typeof result === 'string' ? this.#string(result) : this.#buffer(result);
    });
    const made = this.#enter(() => vm.evalCode(prelude, 'prelude', { type: 'global' }));
    if (!made.ok) throw new EngineCrash('the prelude does not compile');
    const dispatch = this.#enter(() => vm.callFunction(made.value, vm.undefined, host));
    if (!dispatch.ok) throw new EngineCrash(`the prelude failed: ${this.#text(vm.getProp(dispatch.error, 'message'))}`);
    this.#dispatch = dispatch.value;
  }

  /** Tells the prelude about an event. Gives how many answers of the host the guest waits for, or null if it threw. */
  dispatch(event: Readonly<Record<string, unknown>>, value?: GuestValue, bytes?: Uint8Array): number | null {
    const vm = this.#vm;
    const dispatch = this.#dispatch;
    if (dispatch === undefined) throw new EngineCrash('no prelude');
    const result = this.#enter(() => {
      const json = this.#string(JSON.stringify(event));
      const buffer = bytes === undefined ? vm.undefined : this.#buffer(bytes);
      const called = vm.callFunction(dispatch, vm.undefined, json, value ?? vm.undefined, buffer);
      json.dispose();
      buffer.dispose();
      return called;
    });
    return result.ok ? vm.getNumber(result.value) : null;
  }

  /**
   * Runs a module up to its first `await`. A pending result is a promise: ask `settled`. Never with `compileOnly`: for
   * a module the library then reads a pointer that it has not set (QTS_Eval of quickjs-emscripten 0.32).
   */
  run(code: string): GuestResult {
    return this.#enter(() => this.#vm.evalCode(code, fileName, { type: 'module' }));
  }

  /** Looks at the promise of a module; not by calling `then`, which the guest may have replaced. */
  settled(value: GuestValue): GuestResult | null {
    const state = this.#vm.getPromiseState(value);
    if (state.type === 'pending') return null;
    return state.type === 'fulfilled' ? { ok: true, value: state.value } : { ok: false, error: state.error };
  }

  /** Runs at most `most` jobs. A job itself only fails when it is interrupted or memory is out. */
  runJobs(most: number): Readonly<{ areMore: boolean; error: GuestValue | null }> {
    const runtime = this.#vm.runtime;
    const result = this.#enter(() => runtime.executePendingJobs(most));
    return { areMore: runtime.hasPendingJob(), error: result.ok ? null : result.error };
  }

  /** Whatever the library throws, be it a trap of WebAssembly or its own error, means that its heap is not to be trusted. */
  #enter<T extends { value: GuestValue | number; error?: undefined } | { error: GuestValue }>(
    guest: () => T,
  ): Readonly<{ ok: true; value: Exclude<T, { error: GuestValue }>['value'] } | { ok: false; error: GuestValue }> {
    if (this.#crashed) throw new EngineCrash('entered again after a crash');
    try {
      const result = guest();
      return result.error === undefined ? { ok: true, value: result.value } : { ok: false, error: result.error };
    } catch (error) {
      this.#crashed = true;
      throw error instanceof EngineCrash ? error : new EngineCrash(error instanceof Error ? error.message : 'unknown');
    }
  }

  /** A guest string. Checked first: `getString` of an object would run the guest's own `toString`. */
  #text(handle: GuestValue | undefined): string {
    if (handle === undefined || this.#vm.typeof(handle) !== 'string') throw new TypeError('a string is needed');
    const length = this.#vm.getProp(handle, 'length').consume((value) => this.#vm.getNumber(value));
    if (length > mostTextLength) throw new RangeError('too much text at once');
    return this.#vm.getString(handle);
  }

  #copyOut(handle: GuestValue): Uint8Array {
    return this.#vm.getArrayBuffer(handle).consume((view) => new Uint8Array(view.value));
  }

  #string(text: string): GuestValue {
    this.#needRoom(text.length * 3 + 1);
    return this.#vm.newString(text);
  }

  #buffer(bytes: Uint8Array): GuestValue {
    this.#needRoom(bytes.byteLength);
    const copy = new Uint8Array(bytes);
    return this.#vm.newArrayBuffer(copy.buffer);
  }

  /** The library does not look at what malloc gives and would write to address 0 (quickjs-emscripten-core, memory.ts). */
  #needRoom(bytes: number): void {
    const pointer = this.#malloc(bytes + spareBytes);
    if (pointer === 0) throw new RangeError('out of memory');
    this.#free(pointer);
  }
}
