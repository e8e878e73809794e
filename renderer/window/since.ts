const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** An RFC 3339 time as a person says it: "5 minutes ago", "in 3 hours". */
export function since(time: string, nowMs = Date.now()): string {
  const difference = Date.parse(time) - nowMs;
  for (const [unit, size] of units) {
    if (Math.abs(difference) >= size) return format.format(Math.round(difference / size), unit);
  }
  return 'just now';
}
