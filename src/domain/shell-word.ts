/**
 * A name as one word of a shell, to stand in a command that we tell people to type: what a client or a colleague chose as a name
 * must not become a command of its own.
 */
export function shellWord(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
}
