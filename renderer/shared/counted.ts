/** So many of something, as a person writes it: "1 event", "1,200 events". The word takes an s. */
export const counted = (count: number, word: string): string =>
  `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;
