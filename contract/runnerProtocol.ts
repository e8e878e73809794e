/**
 * What the broker and the runner (PID 1 of a container) say to each other over the container's stdin and stdout: each
 * side first sends its greeting line, then both speak HTTP/2 with the runner as client, because the runner opens the
 * streams. The host believes nothing that comes out: counts and sizes are capped, and what does not fit ends the run.
 *
 * | stream (POST) | opened | carries |
 * |---|---|---|
 * | /job | once, at start: the sandbox stands ready | answer: the job as JSON, when there is one |
 * | /stdout, /stderr | once each, with the job | request: what the code prints |
 * | /egress | for each connection to the proxy | both ways: the bytes of that connection |
 * | /exit | once, when nothing of the job is left | request: how it ended, as JSON (contract/runner.ts) |
 *
 * Every byte of /stdout and /stderr is sent before /exit is opened. The runner goes when its stdin ends.
 * No imports here: this file is a part of the runner.
 */
export const runnerProtocol = {
  /** First bytes from the runner. Anything before them (a loader's warning) is a broken sandbox. */
  runnerGreeting: 'oauth3-runner 1\n',
  /** First bytes from the host; the runner ends when it reads anything else. */
  hostGreeting: 'oauth3-host 1\n',
  paths: { job: '/job', stdout: '/stdout', stderr: '/stderr', egress: '/egress', exit: '/exit' },
  /** Of one stream, and of the whole session, in both directions (bytes). The default of 64 KiB halves the speed. */
  streamWindow: 1 << 20,
  sessionWindow: 4 << 20,
  /** Open at once, of all kinds; what the host announces. */
  maxStreams: 256,
  /** Connections carried at once: leaves room for the streams that are not /egress. */
  maxConnections: 248,
  /** Connections that wait for one of those; any more are answered 503. Together they fit into 512 open files. */
  maxWaitingConnections: 128,
  /** Longest answer to /job, bytes. */
  maxJobBytes: 16 << 20,
  proxy: { host: '127.0.0.1', port: 3128 },
  jobFolder: '/tmp/job',
  /** Where the runner puts the certificate of the run's own authority, and that with the public ones beside it. */
  authorityFile: '/tmp/oauth3-ca.pem',
  rootsFile: '/tmp/oauth3-roots.pem',
} as const;

/** What the runner is told to do. It trusts the host, so the size is the only thing that is bounded. */
export type RunnerJob = Readonly<{
  /** argv; `argv[0]` is an absolute path in the image. */
  command: readonly string[];
  /** The whole environment of the job: nothing of the runner's own is added. */
  env: Readonly<Record<string, string>>;
  cwd: string;
  /** Absolute path below /tmp -> bytes as base64. Folders are made (0700), files must not be there yet (0600). */
  files: Readonly<Record<string, string>>;
  /** Given on stdin, base64; then stdin is closed. */
  stdin: string;
  /** Written to `authorityFile`; `rootsFile` gets it together with the public roots of the image. */
  authorityPem: string;
  /** From the start of the process. */
  timeoutMs: number;
}>;

/**
 * How node is started as PID 1, before the path of the runner. The job has the same uid, so what a signal could do to
 * the runner matters: without the first flag SIGUSR1 opens its inspector to the job. Without the second, SIGSEGV runs a
 * handler of node that sets stdout back to blocking. The others keep an idle sandbox small.
 */
export const runnerNodeFlags: readonly string[] = [
  '--disable-sigusr1',
  '--disable-wasm-trap-handler',
  '--v8-pool-size=1',
  '--max-old-space-size=64',
];
