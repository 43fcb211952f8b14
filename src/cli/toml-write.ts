/** A value of a document as TOML. Null is written as the word that files have for "no limit". */
type Value = string | number | boolean | null | readonly Value[] | Table;
interface Table {
  readonly [name: string]: Value | undefined;
}

const WIDTH = 110;

/** A document as TOML: tables of tables as `[a.b]`, lists of tables as `[[a.b]]`, in the order in which the names stand. */
export function tomlText(document: object): string {
  const lines: string[] = [];
  writeBody(lines, [], document as Table);
  return `${lines.join('\n').trim()}\n`;
}

function writeBody(lines: string[], path: readonly string[], table: Table): void {
  const members = Object.entries(table).filter((member): member is [string, Value] => member[1] !== undefined);
  for (const [name, value] of members) if (!isNested(value)) lines.push(`${keyOf(name)} = ${inline(value, keyOf(name).length)}`);
  for (const [name, value] of members) if (isNested(value)) writeNested(lines, [...path, name], value);
}

function writeNested(lines: string[], path: readonly string[], value: Table | readonly Table[]): void {
  const header = path.map(keyOf).join('.');
  if (isList(value)) {
    for (const item of value) {
      lines.push('', `[[${header}]]`);
      writeBody(lines, path, item);
    }
    return;
  }
  const members = Object.values(value).filter((member) => member !== undefined);
  // A table of which only tables are told is made by their headers.
  if (members.length === 0 || members.some((member) => !isNested(member))) lines.push('', `[${header}]`);
  writeBody(lines, path, value);
}

function isNested(value: Value): value is Table | readonly Table[] {
  if (isList(value)) return value.length > 0 && value.every((item) => typeof item === 'object' && item !== null && !isList(item));
  return typeof value === 'object' && value !== null;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function inline(value: Value, before: number): string {
  if (value === null) return '"unlimited"';
  if (typeof value === 'string') return quoted(value);
  if (!isList(value)) return JSON.stringify(value);
  const items = value.map((item) => inline(item, 0));
  const line = `[${items.join(', ')}]`;
  return before + line.length <= WIDTH ? line : `[\n${items.map((item) => `  ${item},\n`).join('')}]`;
}

function keyOf(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : quoted(name);
}

/** A basic string: what JSON escapes is escaped the same way, and the one control character that it leaves. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', String.raw`\u007f`);
}
