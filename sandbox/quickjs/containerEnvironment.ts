/** What the container itself puts into the environment of a program: how it is connected, and nothing about the job. */
export const containerEnvNames: ReadonlySet<string> = new Set([
  'HTTP_PROXY',
  'http_proxy',
  'HTTPS_PROXY',
  'https_proxy',
  'NO_PROXY',
  'no_proxy',
  'NODE_USE_ENV_PROXY',
  'NODE_EXTRA_CA_CERTS',
  'DENO_CERT',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'CURL_CA_BUNDLE',
  'PIP_CERT',
  'GIT_SSL_CAINFO',
  'HOME',
  'PATH',
  'LANG',
  'NO_COLOR',
]);

/** The environment of the job alone, as the embedded sandbox gives it. */
export function guestEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || containerEnvNames.has(name) ? [] : [[name, value] as const],
    ),
  );
}
