/**
 * Sizes that the embedded sandbox and its host both keep to. The child honours them; the host enforces them, because
 * a child that was taken over would not. Without a library, so that a starting child does not load one.
 */
export const sandboxLimits = Object.freeze({
  /** Most bytes of stdout or stderr in one message. */
  outputPieceBytes: 64 * 1024,
  /**
   * Most bytes of one output stream that may be on the way and not yet taken by the host; what is printed beyond is
   * dropped. More than the host keeps of a stream (1 MiB), so nothing is lost that would have been seen.
   */
  outputWindowBytes: 4 * 1024 * 1024,
  /** Most bytes of a request or response body in one message. */
  bodyPieceBytes: 256 * 1024,
  /** Most bytes of one request body. */
  requestBodyBytes: 16 * 1024 * 1024,
  /** Most bytes of all request bodies of a run that are on the way at once. */
  requestBodiesBytes: 32 * 1024 * 1024,
  /** Bytes of a response body that the host sends before the code asks for more. */
  responseWindowBytes: 256 * 1024,
  /** Requests of one run that may be open at once. */
  openRequests: 64,
  urlLength: 64 * 1024,
  headerPairs: 1000,
  headersLength: 256 * 1024,
  /** Most bytes of one frame on a pipe: the largest message and room for its JSON. */
  frameBytes: 1024 * 1024,
});
