import { counted } from '../shared/counted.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Time that is left, in words; rounded down, so that it never promises more than there is. `leftMs` may be negative. */
export function timeLeftText(leftMs: number): string {
  if (leftMs <= 0) return 'Time is over';
  if (leftMs < 2 * minuteMs) return `${counted(Math.ceil(leftMs / 1000), 'second')} left`;
  if (leftMs < 2 * hourMs) return `${counted(Math.floor(leftMs / minuteMs), 'minute')} left`;
  return `${counted(Math.floor(leftMs / hourMs), 'hour')} left`;
}

const addedMinutes = 30;
const longestMinutes = 1440;

/** Whole minutes from now that give a card half an hour more than it has. */
export function moreMinutes(leftMs: number): number {
  return Math.min(longestMinutes, Math.max(0, Math.ceil(leftMs / minuteMs)) + addedMinutes);
}
