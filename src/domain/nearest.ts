/** How many letters may be wrong in a name of this length for it still to be a slip of the same name. */
function tolerance(length: number): number {
  return length <= 3 ? 1 : length <= 8 ? 2 : 3;
}

/** The known name that was probably meant, or null when none is near. Letter case does not count. */
export function nearestName(written: string, known: readonly string[]): string | null {
  if (written.length > 100) return null;
  const distances = known.map((name) => ({ name, distance: editDistance(written.toLowerCase(), name.toLowerCase()) }));
  const nearest = distances.toSorted((a, b) => a.distance - b.distance)[0];
  return nearest !== undefined && nearest.distance <= tolerance(written.length) ? nearest.name : null;
}

/** ` Did you mean "name"?`, or nothing. */
export function didYouMean(written: string, known: readonly string[]): string {
  const meant = nearestName(written, known);
  return meant === null ? '' : ` Did you mean "${meant}"?`;
}

/** How many letters have to be put in, taken out or replaced (Levenshtein), one row at a time. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[b.length]!;
}
