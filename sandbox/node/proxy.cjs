'use strict';
/**
 * Loaded before the code in the Node image. Node told to use a proxy from its start (NODE_USE_ENV_PROXY) loads its whole
 * HTTP client for it, which takes as much processor time as all the rest of its start; most short runs never call anybody.
 * So it is told at the first use: of `fetch`, or of the modules `http` and `https`; and before a program that speaks of
 * `WebSocket`. What goes around this finds no proxy, and so no way out at all: there is no other route.
 */
const { readFileSync } = require('node:fs');
const { registerHooks } = require('node:module');

let isTold = false;
const tell = () => {
  if (isTold) return;
  isTold = true;
  require('node:http').setGlobalProxyFromEnv(process.env);
};

const clients = new Set(['http', 'https', 'node:http', 'node:https']);
registerHooks({
  resolve(specifier, context, nextResolve) {
    if (clients.has(specifier)) tell();
    return nextResolve(specifier, context);
  },
});

const { getBuiltinModule } = process;
process.getBuiltinModule = (name) => {
  if (clients.has(name)) tell();
  return getBuiltinModule(name);
};

const nodeFetch = globalThis.fetch;
Object.defineProperty(globalThis, 'fetch', {
  value: function fetch(input, init) {
    tell();
    return nodeFetch(input, init);
  },
  writable: true,
  enumerable: true,
  configurable: true,
});

// Looking at what `WebSocket` stands for loads the client, so it cannot be watched: the program's text is looked at instead.
const speaksOfWebSockets = () => {
  try {
    return readFileSync(process.argv[1]).includes('WebSocket');
  } catch {
    return process.execArgv.join().includes('WebSocket');
  }
};
if (speaksOfWebSockets()) tell();
