import type { Histogram } from './histogram.ts';

/** Labels of a series, in the order in which they are written. */
export type Labels = Readonly<Record<string, string>>;

/** A value of a counter or gauge. Text is a decimal number, for money that must stay exact. */
export type Sample = readonly [labels: Labels, value: number | string];

/** Writes metrics in the text format of Prometheus. Each family is written once, with all of its series. */
export class Exposition {
  readonly #parts: string[] = [];

  /** A number that only grows. `name` ends in `_total`. */
  counter(name: string, help: string, samples: readonly Sample[] | number | string): void {
    this.#simple('counter', name, help, samples);
  }

  /** A number that goes both ways. */
  gauge(name: string, help: string, samples: readonly Sample[] | number | string): void {
    this.#simple('gauge', name, help, samples);
  }

  /** Observations in buckets, one histogram for each set of labels. */
  histogram(name: string, help: string, series: readonly (readonly [labels: Labels, histogram: Histogram])[]): void {
    this.#head('histogram', name, help);
    for (const [labels, histogram] of series) this.#buckets(name, labels, histogram);
  }

  /** All that was written. */
  text(): string {
    return this.#parts.join('');
  }

  #simple(type: 'counter' | 'gauge', name: string, help: string, samples: readonly Sample[] | number | string): void {
    this.#head(type, name, help);
    const series: readonly Sample[] = typeof samples === 'object' ? samples : [[{}, samples]];
    for (const [labels, value] of series) this.#line(name, labels, value);
  }

  #buckets(name: string, labels: Labels, { bounds, counts, sum }: Histogram): void {
    let below = 0;
    for (const [place, count] of counts.entries()) {
      below += count;
      const bound = bounds[place];
      this.#line(`${name}_bucket`, { ...labels, le: bound === undefined ? '+Inf' : String(bound) }, below);
    }
    this.#line(`${name}_sum`, labels, sum);
    this.#line(`${name}_count`, labels, below);
  }

  #head(type: string, name: string, help: string): void {
    this.#parts.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`);
  }

  #line(name: string, labels: Labels, value: number | string): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    this.#parts.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`);
  }
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
