/** Where a container engine listens: the path of a Unix socket or Windows pipe, or an address on the network. */
export type EngineEndpoint =
  | Readonly<{ kind: 'local'; socketPath: string }>
  | Readonly<{ kind: 'remote'; host: string; port: number }>
  /** A way that this app does not speak (ssh, TLS with client certificates). */
  | Readonly<{ kind: 'unsupported'; reason: string }>;

const defaultPort = 2375;

/** Reads DOCKER_HOST; null: the default of the platform. */
export function engineEndpoint(dockerHost: string | null, platform: NodeJS.Platform): EngineEndpoint {
  if (dockerHost === null) {
    const socketPath = platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock';
    return { kind: 'local', socketPath };
  }
  const [, scheme = '', rest = ''] = /^([a-z]+):\/\/(.+)$/i.exec(dockerHost) ?? [];
  switch (scheme.toLowerCase()) {
    case 'unix':
    case 'npipe':
      return { kind: 'local', socketPath: rest };
    case 'tcp':
    case 'http':
      return remote(rest);
    case 'ssh':
      return { kind: 'unsupported', reason: 'DOCKER_HOST over ssh is not supported; forward the socket with ssh -L' };
    default:
      return { kind: 'unsupported', reason: 'DOCKER_HOST must look like unix:///path/to/socket' };
  }
}

function remote(rest: string): EngineEndpoint {
  const url = URL.canParse(`http://${rest}`) ? new URL(`http://${rest}`) : null;
  if (url === null || url.pathname !== '/' || url.username !== '') {
    return { kind: 'unsupported', reason: 'DOCKER_HOST must look like tcp://host:port' };
  }
  return { kind: 'remote', host: url.hostname, port: url.port === '' ? defaultPort : Number(url.port) };
}
