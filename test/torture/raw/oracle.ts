/** One request as it stands on a connection. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly body: string;
}

/** What the bytes of a connection mean. */
export interface Reading {
  readonly requests: readonly RawRequest[];
  /** How it ends: with nothing left, in the middle of a request, at what a server has to refuse, or after a request that wants to close. */
  readonly end: 'clean' | 'partial' | 'refuse' | 'close';
  /** Why it has to be refused, else empty. */
  readonly why: string;
}

/** Thrown inside, where the bytes are no HTTP. */
class Wrong extends Error {}
/** Thrown inside, where the bytes end too early. */
class Partial extends Error {}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
// oxlint-disable-next-line no-control-regex
const LOOSE_VALUE = /^[\t\x20-\xff]*$/;

/**
 * How a reader reads. The strict one refuses wherever the RFC lets a recipient choose. The loose one takes what any recipient may take: a
 * single LF as the end of a line, an empty line in front, equal lengths, empty members of a list, DEL in a value. The lax one is like many
 * a proxy: it also passes over header lines that are none, and takes any target and host; where a request ends it knows as well as the
 * others: what is executed and is no request for it either was smuggled.
 */
export type Manner = 'strict' | 'loose' | 'lax';
const REG_NAME = /^(?:(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2})+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;
// Two looks instead of one alternation: a target may have a million characters.
const NO_ORIGIN = /^(?!\/)|[^\w\-.~!$&'()*+,;=:@/?%]|%(?![0-9a-f]{2})/i;
const ABSOLUTE = /^https?:\/\/([^/?]*)((?:[/?].*)?)$/i;

/** A reader of HTTP/1.1 as RFC 9112 has it, which shares nothing with the server. */
export function readHttp(bytes: string, manner: Manner): Reading {
  const reader = new Reader(bytes, manner);
  const requests: RawRequest[] = [];
  try {
    while (!reader.isAtEnd) {
      const { request, closes } = reader.request();
      requests.push(request);
      if (closes) return { requests, end: 'close', why: '' };
    }
    return { requests, end: 'clean', why: '' };
  } catch (error) {
    if (error instanceof Partial) return { requests, end: 'partial', why: '' };
    if (error instanceof Wrong) return { requests, end: 'refuse', why: error.message };
    throw error;
  }
}

type Fields = ReadonlyMap<string, readonly string[]>;

class Reader {
  #at = 0;

  constructor(
    readonly text: string,
    readonly manner: Manner,
  ) {}

  get isLoose(): boolean {
    return this.manner !== 'strict';
  }

  get isLax(): boolean {
    return this.manner === 'lax';
  }

  get isAtEnd(): boolean {
    return this.#at >= this.text.length;
  }

  request(): { readonly request: RawRequest; readonly closes: boolean } {
    while (this.isLoose && this.#startsWithEmptyLine()) this.#line();
    const [method, target, minor] = requestLine(this.#line(), this.isLax);
    const fields = this.#fields();
    if (!this.isLax) {
      mustHaveOneHost(fields, minor, this.isLoose);
      mustBeTarget(method, target);
    }
    const body = this.#body(fields, minor);
    const connection = (fields.get('connection') ?? []).join(',').toLowerCase();
    const closes = /\bclose\b/.test(connection) || (minor === 0 && !/\bkeep-alive\b/.test(connection));
    return { request: { method, target, body }, closes };
  }

  #startsWithEmptyLine(): boolean {
    return /^\r?\n/.test(this.text.slice(this.#at, this.#at + 2));
  }

  /** The next line without its end. */
  #line(): string {
    const end = this.text.indexOf('\n', this.#at);
    const line = this.text.slice(this.#at, end < 0 ? undefined : end);
    if (end < 0) throw new Partial();
    this.#at = end + 1;
    if (line.endsWith('\r')) return this.#withoutCr(line.slice(0, -1));
    if (!this.isLoose) throw new Wrong('a line ends with a bare LF');
    return this.#withoutCr(line);
  }

  #withoutCr(line: string): string {
    if (line.includes('\r') && !this.isLax) throw new Wrong('a bare CR');
    return line;
  }

  #fields(): Fields {
    const fields = new Map<string, string[]>();
    for (let line = this.#line(); line !== ''; line = this.#line()) {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(colon, 0));
      const value = line.slice(colon + 1);
      if (this.isLax && !TOKEN.test(name)) continue;
      if (/^[ \t]/.test(line)) throw new Wrong('a header line begins with a space');
      if (!TOKEN.test(name)) throw new Wrong('a header name is none');
      if (!this.isLax && !(this.isLoose ? LOOSE_VALUE : VALUE).test(value)) throw new Wrong('a header value holds a control character');
      const key = name.toLowerCase();
      const known = fields.get(key);
      const trimmed = value.replace(/^[ \t]+|[ \t]+$/g, '');
      if (known) known.push(trimmed);
      else fields.set(key, [trimmed]);
    }
    return fields;
  }

  #body(fields: Fields, minor: number): string {
    const encodings = fields.get('transfer-encoding');
    const lengths = fields.get('content-length');
    if (encodings !== undefined) {
      if (lengths !== undefined) throw new Wrong('both a length and a transfer encoding');
      if (minor === 0) throw new Wrong('a transfer encoding in HTTP/1.0');
      const codings = this.isLoose
        ? encodings
            .join(',')
            .split(',')
            .map((one) => one.trim())
            .filter(Boolean)
        : encodings;
      if (codings.length !== 1 || codings[0]!.toLowerCase() !== 'chunked') throw new Wrong('a transfer encoding that is not chunked');
      return this.#chunks();
    }
    return lengths === undefined ? '' : this.#take(this.#length(lengths));
  }

  #length(lengths: readonly string[]): number {
    const all = this.isLoose ? lengths.flatMap((value) => value.split(',').map((one) => one.trim())) : lengths;
    if (all.some((value) => !(this.isLax ? /^0*\d{1,15}$/ : /^\d{1,15}$/).test(value))) throw new Wrong('a length is no number');
    if (all.length > 1 && !(this.isLoose && new Set(all.map(Number)).size === 1)) throw new Wrong('more than one length');
    return Number(all[0]);
  }

  #chunks(): string {
    let body = '';
    for (;;) {
      const [, size, extension = ''] = (this.isLax ? /^([0-9a-f]+)([ \t;].*)?$/i : /^([0-9a-f]+)[ \t]*(;.*)?$/i).exec(this.#line()) ?? [];
      if (size === undefined || (!this.isLax && (size.replace(/^0+/, '').length > 12 || !VALUE.test(extension))))
        throw new Wrong('a chunk size is none');
      const length = Number.parseInt(size, 16);
      if (length === 0) break;
      body += this.#take(length);
      if (this.isAtEnd) throw new Partial();
      if (this.#line() !== '') throw new Wrong('a chunk does not end where its size says');
    }
    if (!(this.isLax && this.isAtEnd)) this.#fields();
    return body;
  }

  #take(length: number): string {
    const taken = this.text.slice(this.#at, this.#at + length);
    this.#at += length;
    if (taken.length < length) throw new Partial();
    return taken;
  }
}

function requestLine(line: string, isLax: boolean): [method: string, target: string, minor: number] {
  const found = (isLax ? /^(\S+) +(.+?) +HTTP\/1\.(\d+) *$/ : /^(\S+) (\S+) HTTP\/1\.(\d)$/).exec(line);
  if (found === null || !TOKEN.test(found[1]!)) throw new Wrong('no request line');
  return [found[1]!, found[2]!, Number(found[3])];
}

function mustHaveOneHost(fields: Fields, minor: number, loose: boolean): void {
  const hosts = fields.get('host') ?? [];
  if (hosts.length === 0 && minor === 0 && loose) return;
  if (hosts.length !== 1) throw new Wrong(`${hosts.length} hosts`);
  if (!REG_NAME.test(hosts[0]!)) throw new Wrong('a host that is none');
}

function mustBeTarget(method: string, target: string): void {
  if (method === 'CONNECT') {
    if (!REG_NAME.test(target) || !target.includes(':')) throw new Wrong('a target that is no authority');
    return;
  }
  const absolute = ABSOLUTE.exec(target);
  if (absolute !== null && !REG_NAME.test(absolute[1]!)) throw new Wrong('an absolute target with an authority that is none');
  const path = absolute === null ? target : absolute[2]!;
  const isRoot = absolute !== null && !path.startsWith('/');
  if (!(target === '*' && method === 'OPTIONS') && NO_ORIGIN.test(isRoot ? `/${path}` : path)) throw new Wrong('a target that is none');
}
