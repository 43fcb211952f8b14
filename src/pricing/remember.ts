/** Model names can be invented by clients: past so many the memory begins anew. */
const MOST_NAMES = 2_000;

/** Remembers what a pure function of a model name answers. Clients use few names, and regular expressions cost more than a look-up. */
export function rememberByName<Answer>(answerOf: (name: string) => Answer): (name: string) => Answer {
  const known = new Map<string, Answer>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const answer = answerOf(name);
    if (known.size >= MOST_NAMES) known.clear();
    known.set(name, answer);
    return answer;
  };
}
