import { timingSafeEqual } from 'node:crypto';

/** Compares what nobody may guess: the time it takes does not tell how much of a guess is right. */
export function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
