import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Duplex } from 'node:stream';
import { type RunnerJob, runnerProtocol } from '../../contract/runnerProtocol.ts';
import { leave } from './ending.ts';

/** For what waits in streams the job does not read, or the host: 248 connections with some 100 KiB each. */
const SESSION_MEGABYTES = 64;

/** Opens the session to the host. Without it there is nothing to live for: its end is the end of the sandbox. */
export const openTunnel = (connection: Duplex): ClientHttp2Session => {
  const session = connect('http://host', {
    createConnection: () => connection,
    settings: { initialWindowSize: runnerProtocol.streamWindow, enablePush: false },
    peerMaxConcurrentStreams: runnerProtocol.maxStreams,
    maxSessionMemory: SESSION_MEGABYTES,
  });
  session.once('connect', () => {
    // Its first bytes may have broken it already.
    if (!session.destroyed) session.setLocalWindowSize(runnerProtocol.sessionWindow);
  });
  session.on('error', (error) => leave(`the tunnel broke: ${error.message}`));
  session.on('frameError', (type, code) => leave(`the tunnel broke: frame ${type} failed with ${code}`));
  session.on('goaway', (code) => leave(code === 0 ? undefined : `the host closed the tunnel with ${code}`));
  session.on('close', () => leave());
  return session;
};

/** Opens a stream whose answer is of no interest, for what goes to the host. Its early end is that of the sandbox. */
export const openUpward = (session: ClientHttp2Session, path: string): ClientHttp2Stream => {
  const stream = session.request({ ':method': 'POST', ':path': path });
  stream.on('error', (error) => leave(`${path} broke: ${error.message}`));
  stream.on('close', () => {
    if (!stream.writableFinished) leave(`the host closed ${path}`);
  });
  return stream.resume();
};

/** Says that the sandbox is ready, and resolves with the job when there is one. */
export const awaitJob = (session: ClientHttp2Session): Promise<RunnerJob> =>
  new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': runnerProtocol.paths.job }, { endStream: true });
    const chunks: Buffer[] = [];
    let length = 0;
    let status: number | undefined;
    stream.on('response', (headers) => {
      status = headers[':status'];
    });
    stream.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > runnerProtocol.maxJobBytes) reject(new Error('the job is too large'));
    });
    stream.on('error', (error) => reject(new Error(`the tunnel broke: ${error.message}`)));
    stream.on('close', () => {
      if (status !== 200 || !stream.readableEnded || stream.rstCode !== 0) {
        reject(new Error('the host gave no job'));
        return;
      }
      try {
        const job: RunnerJob = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        resolve(job);
      } catch {
        reject(new Error('the job is no JSON'));
      }
    });
  });
