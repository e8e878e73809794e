/**
 * Keeps answers in the order of their questions. Called with each question; what it returns is called with the answer and
 * says whether that one counts: not when a later question was answered already.
 */
export function inOrder(): () => () => boolean {
  let [asked, answered] = [0, 0];
  return () => {
    asked += 1;
    const mine = asked;
    return () => {
      if (mine < answered) return false;
      answered = mine;
      return true;
    };
  };
}
