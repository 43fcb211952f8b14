/** A strict reader of the Prometheus text format, written from its description and not from our writer. */

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** The value as it was written. */
  readonly text: string;
}

export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: ParsedSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = { histogram: ['_bucket', '_sum', '_count'], counter: [''], gauge: [''] };

/** Reads the text, or throws with the line that breaks a rule of the format or of the naming of metrics. */
export function parsePrometheus(text: string): Map<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, ParsedFamily>();
  let help: readonly [string, string] | null = null;
  let family: ParsedFamily | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('# HELP ')) help = helpOf(line);
    else if (line.startsWith('# TYPE ')) family = begin(line, help, families);
    else if (family === null) throw new Error(`a sample before its type: ${line}`);
    else family.samples.push(sampleOf(line, family));
  }
  for (const one of families.values()) check(one);
  return families;
}

/** The value of the one sample that has these labels, 0 when there is none. */
export function valueOf(families: Map<string, ParsedFamily>, name: string, labels: Readonly<Record<string, string>> = {}): number {
  const found = samplesOf(families, name).filter((sample) =>
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.reduce((sum, { value }) => sum + value, 0);
}

/** Every sample of a name, those of histograms included. */
export function samplesOf(families: Map<string, ParsedFamily>, name: string): ParsedSample[] {
  return [...families.values()].flatMap(({ samples }) => samples).filter((sample) => sample.name === name);
}

/** How many series there are in all. */
export function countSeries(families: Map<string, ParsedFamily>): number {
  return [...families.values()].reduce((sum, { samples }) => sum + samples.length, 0);
}

function helpOf(line: string): readonly [string, string] {
  const match = /^# HELP (\S+) (.+)$/.exec(line);
  if (match === null) throw new Error(`no help: ${line}`);
  return [match[1]!, match[2]!];
}

function begin(line: string, help: readonly [string, string] | null, families: Map<string, ParsedFamily>): ParsedFamily {
  const match = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
  if (match === null) throw new Error(`no type: ${line}`);
  const [, name = '', type = ''] = match;
  if (!NAME.test(name) || families.has(name)) throw new Error(`a bad name, or twice: ${line}`);
  if (help?.[0] !== name) throw new Error(`a type without its help: ${line}`);
  if ((type === 'counter') !== name.endsWith('_total')) throw new Error(`counters end in _total, nothing else does: ${line}`);
  const family = { name, type, help: help[1], samples: [] };
  families.set(name, family);
  return family;
}

function sampleOf(line: string, { name, type }: ParsedFamily): ParsedSample {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null || !NUMBER.test(match[3]!)) throw new Error(`no sample: ${line}`);
  if (!SUFFIXES[type]!.some((suffix) => match[1] === name + suffix)) throw new Error(`a sample of another family: ${line}`);
  return { name: match[1]!, labels: labelsOf(match[2] ?? '', line), value: Number(match[3]!.replace('Inf', 'Infinity')), text: match[3]! };
}

function labelsOf(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  let rest = text;
  while (rest !== '') {
    const match = /^([^=]+)="((?:[^"\\]|\\["\\n])*)"(?:,|$)/.exec(rest);
    const name = match?.[1] ?? '';
    if (match === null || !LABEL_NAME.test(name) || Object.hasOwn(labels, name)) throw new Error(`bad labels: ${line}`);
    labels[name] = match[2]!.replace(/\\(["\\n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
    rest = rest.slice(match[0].length);
  }
  return labels;
}

function check(family: ParsedFamily): void {
  const seen = new Set(
    family.samples.map(
      ({ name, labels }) => `${name}${JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => one.localeCompare(other)))}`,
    ),
  );
  if (seen.size !== family.samples.length) throw new Error(`a series twice in ${family.name}`);
  if (family.type === 'histogram') checkHistogram(family);
}

function checkHistogram({ name, samples }: ParsedFamily): void {
  const groups = Map.groupBy(samples, ({ labels }) => JSON.stringify({ ...labels, le: undefined }));
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels['le']!.replace('+Inf', 'Infinity')));
    const rising = (values: readonly number[], strictly: boolean) =>
      values.every((value, index) => index === 0 || (strictly ? value > values[index - 1]! : value >= values[index - 1]!));
    if (!rising(bounds, true) || bounds.at(-1) !== Infinity) throw new Error(`buckets out of order in ${name}`);
    if (
      !rising(
        buckets.map(({ value }) => value),
        false,
      )
    )
      throw new Error(`buckets of ${name} do not add up`);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    if (count !== buckets.at(-1)!.value || !group.some((sample) => sample.name === `${name}_sum`))
      throw new Error(`sum or count of ${name} is wrong`);
  }
}
