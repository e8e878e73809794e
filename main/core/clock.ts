/**
 * Both clocks of the machine. Deadlines look at both, because the wall clock jumps and the monotonic one may stand
 * still while the machine sleeps.
 */
export type Clock = Readonly<{
  /** Milliseconds since 1970 UTC; may jump either way. */
  wallMs(): number;
  /** Milliseconds from an arbitrary start; never goes back. */
  monotonicMs(): number;
}>;
