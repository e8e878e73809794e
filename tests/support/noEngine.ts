/**
 * For the environment of every house that is not about containers: an engine of this machine must not be found by
 * accident, or ordinary tests would leave containers in it. `dockerHouse.ts` names the engine that may be used.
 */
export const noEngine = { DOCKER_HOST: 'unix:///nonexistent/docker.sock' } as const;
