import type { Runtime } from '../../../contract/runtime.ts';
import type { NpmFile } from './imageBasis.ts';

/** How code gets from a job to a process, and what the process is made of. */
export type RuntimeRow = Readonly<{
  runtime: Runtime;
  image: Readonly<{
    /** Below sandbox/images/: how the image is built on public images. */
    dockerfile: string;
    /** Build argument -> public image by digest. */
    publicImages: Readonly<Record<string, string>>;
    /** For a machine that reaches no registry of images: from packages, besides what all images share. */
    npm: readonly NpmFile[];
    debian: readonly string[];
    /** Files of our own besides the runner: path below out/sandbox/ -> absolute path inside the image. */
    own: Readonly<Record<string, string>>;
  }>;
  /** argv; the code stands in `codeFile`, which is one of them. */
  command: readonly string[];
  codeFile: string;
  /** Stands for `codeFile` when the code is plain JavaScript: see jobProgram.ts. */
  plainCodeFile?: string;
  /** Besides the proxy and certificate settings that every job gets. */
  env: Readonly<Record<string, string>>;
}>;

const denoFile: NpmFile = {
  package: {
    x64: {
      spec: '@deno/linux-x64-glibc@2.9.6',
      integrity: 'sha512-3md4TKLCuzsLDmfOoC5KN7NAZaxSVkMgm64vg6foD00JBADCpYS2/5QqXfzgnP5ZQz3iLP9vBQJtEgc116OAoQ==',
    },
  },
  from: 'deno',
  to: '/usr/local/bin/deno',
};

const nodeImage =
  'docker.io/library/node:24.21.0-bookworm-slim@sha256:2fe369e969550cde8e867afc3fe370b260140cab4a23d467074295b42163d553';
// The Python of Debian 12, so that code means the same whichever way an image is made.
const pythonImage =
  'docker.io/library/python:3.11.16-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b';
const denoImage =
  'docker.io/denoland/deno:bin-2.9.6@sha256:4cf0029b9aeeeed5efcbb71828737f0d7c8c8a20072df960e51a5679ef0d21ba';

/** One row is all that a runtime is: see docs/ADDING-A-RUNTIME.md. */
export const runtimeTable: readonly RuntimeRow[] = [
  {
    runtime: 'deno',
    image: {
      dockerfile: 'deno/Dockerfile',
      publicImages: { NODE_BASE: nodeImage, DENO_BIN: denoImage },
      npm: [denoFile],
      debian: [],
      own: {},
    },
    // Files only below /tmp, no other programs and no native code: less than the container would allow, and what the
    // code declares that it needs. Where the network goes is decided at the door.
    command: [
      '/usr/local/bin/deno',
      'run',
      '--quiet',
      '--no-prompt',
      '--no-config',
      '--no-remote',
      '--no-npm',
      '--allow-net',
      '--allow-env',
      '--allow-read=/tmp',
      '--allow-write=/tmp',
      '/tmp/job/main.ts',
    ],
    codeFile: '/tmp/job/main.ts',
    // The last one is for its node:http, which looks for the proxy as Node does.
    env: { DENO_DIR: '/tmp/deno', DENO_NO_UPDATE_CHECK: '1', NODE_USE_ENV_PROXY: '1' },
  },
  {
    runtime: 'node',
    image: {
      dockerfile: 'node/Dockerfile',
      publicImages: { NODE_BASE: nodeImage },
      npm: [],
      debian: [],
      own: { 'node-proxy.cjs': '/app/node-proxy.cjs' },
    },
    // With the ending .ts and no package.json Node strips types and tells ES modules from CommonJS by their syntax.
    command: ['/usr/local/bin/node', '/tmp/job/main.ts'],
    codeFile: '/tmp/job/main.ts',
    plainCodeFile: '/tmp/job/main.js',
    // Without it fetch and node:http know nothing of the proxy. In the environment, so that children have it too.
    env: { NODE_OPTIONS: '--require=/app/node-proxy.cjs' },
  },
  {
    runtime: 'python',
    image: {
      dockerfile: 'python/Dockerfile',
      publicImages: { NODE_BASE: nodeImage, PYTHON_BASE: pythonImage },
      npm: [],
      debian: [
        'python3-minimal',
        'libpython3-stdlib',
        'python3.11-minimal',
        'libpython3.11-minimal',
        'libpython3.11-stdlib',
        'libexpat1',
        'zlib1g',
        'libssl3',
        'libffi8',
        'libbz2-1.0',
        'liblzma5',
        'libsqlite3-0',
        'libuuid1',
        'media-types',
        'python3-requests',
        'python3-urllib3',
        'python3-six',
        'python3-certifi',
        'python3-chardet',
        'python3-idna',
      ],
      own: {},
    },
    command: ['/usr/bin/python3', '-s', '-B', '-u', '/tmp/job/main.py'],
    codeFile: '/tmp/job/main.py',
    // The image has no locale; without a word Python would fall back to ASCII for file names.
    env: { PYTHONUTF8: '1' },
  },
  {
    runtime: 'quickjs',
    image: {
      dockerfile: 'node/Dockerfile',
      publicImages: { NODE_BASE: nodeImage },
      npm: [],
      debian: [],
      own: { 'quickjs.mjs': '/app/quickjs.mjs', 'quickjs.wasm': '/app/quickjs.wasm' },
    },
    // The guest of the embedded sandbox, and the same second wall around it: it reads its own files and the code.
    command: [
      '/usr/local/bin/node',
      // It would warn of the permission to start a thread, in the output of the code.
      '--no-warnings',
      '--disable-sigusr1',
      '--no-addons',
      '--disallow-code-generation-from-strings',
      '--permission',
      '--allow-worker',
      '--allow-fs-read=/app/*',
      '--allow-fs-read=/tmp/*',
      '/app/quickjs.mjs',
      '/tmp/job/main.ts',
    ],
    codeFile: '/tmp/job/main.ts',
    env: { NODE_USE_ENV_PROXY: '1' },
  },
];
