/** A country database in MaxMind's format, version 2, for IPv4: big enough for a test, written by its specification. */

const RECORD_BYTES = 3;

function unsigned(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, index) => Math.floor(value / 256 ** (bytes - 1 - index)) % 256);
}

function text(value: string): number[] {
  return [0x40 + value.length, ...Buffer.from(value)];
}

function map(entries: readonly (readonly [string, number[]])[]): number[] {
  return [0xe0 + entries.length, ...entries.flatMap(([key, value]) => [...text(key), ...value])];
}

const uint16 = (value: number): number[] => [0xa2, ...unsigned(value, 2)];
const uint32 = (value: number): number[] => [0xc4, ...unsigned(value, 4)];

/** A file in which the networks with these first bytes (`8` is 8.0.0.0/8) are in these countries. */
export function countryDatabase(countries: Readonly<Record<number, string>>): Uint8Array {
  const nodes: [number | null, number | null][] = [[null, null]];
  const data: number[] = [];
  const leaves: { readonly node: number; readonly side: 0 | 1; readonly at: number }[] = [];
  for (const [octet, code] of Object.entries(countries)) {
    let node = 0;
    for (let bit = 7; bit > 0; bit--) {
      const side = ((Number(octet) >> bit) & 1) as 0 | 1;
      nodes[node]![side] ??= nodes.push([null, null]) - 1;
      node = nodes[node]![side]!;
    }
    leaves.push({ node, side: (Number(octet) & 1) as 0 | 1, at: data.length });
    data.push(...map([['country', map([['iso_code', text(code)]])]]));
  }
  const tree = nodes.map((pair) => pair.map((next) => next ?? nodes.length));
  for (const { node, side, at } of leaves) tree[node]![side] = nodes.length + 16 + at;
  const metadata = map([
    ['binary_format_major_version', uint16(2)],
    ['binary_format_minor_version', uint16(0)],
    ['build_epoch', uint32(1_790_000_000)],
    ['database_type', text('Test')],
    ['ip_version', uint16(4)],
    ['node_count', uint32(nodes.length)],
    ['record_size', uint16(RECORD_BYTES * 8)],
  ]);
  const records = tree.flatMap((pair) => pair.flatMap((value) => unsigned(value, RECORD_BYTES)));
  return Uint8Array.from([...records, ...unsigned(0, 16), ...data, 0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com'), ...metadata]);
}
