/** What a vector is made with. Everything that it could have executed carries a marker of its own. */
export interface Parts {
  /** A key of an application. */
  readonly key: string;
  readonly operatorToken: string;
  /** Names this vector on this way: goes into every marker. */
  readonly name: string;
}

/** How the client ends: it waits for the answers, says that it has nothing more to send, or goes. */
export type ClientEnd = 'waits' | 'shuts' | 'leaves';

/** Bytes that somebody could read otherwise than we do. */
export interface Vector {
  readonly family: string;
  readonly name: string;
  /** The bytes, one character each. */
  readonly text: (parts: Parts) => string;
  /** Two requests follow it, one for the model and one for an operator, which nobody may execute who does not see them as requests. */
  readonly hasCanaries: boolean;
  readonly end: ClientEnd;
  /** In how many pieces it is sent, with a pause between them. */
  readonly pieces: number;
}

/** How a vector is made from parts. */
export type Text = (parts: Parts) => string;

export const PATH = '/v1/chat/completions';

/** The body of a chat request whose marker is `kind` and the name of the vector. */
export function chatBody({ name }: Parts, kind: string): string {
  return JSON.stringify({ model: 'gpt-4.1-mini', user: `${kind}-${name}`, messages: [{ role: 'user', content: 'Name a tree.' }] });
}

/** Header lines that every request of ours has, after its Host. */
export function usual({ key }: Parts): string {
  return `Authorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
}

/** A chat request in order. */
export function chat(parts: Parts, kind: string): string {
  const body = chatBody(parts, kind);
  return `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\n${usual(parts)}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** A request of an operator in order: it makes a project whose name is the marker. */
export function makeProject({ operatorToken, name }: Parts, kind: string): string {
  const body = JSON.stringify({ name: `${kind}-${name}` });
  return `POST /admin/v1/projects HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${operatorToken}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** The requests behind a vector. */
export function behind(parts: Parts): string[] {
  return [chat(parts, 'behind'), makeProject(parts, 'behind')];
}

/** One chunk and the last one. */
export function inChunks(body: string): string {
  return `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

/** Parts of a chat request that a vector wants otherwise. Lines end with CRLF. */
export interface Change {
  readonly line?: string;
  readonly host?: string;
  /** Between the usual headers and the length. */
  readonly lines?: string;
  /** Instead of the length; <n> stands for the right one. */
  readonly framing?: string;
  /** <body> stands for the body, <hex> for its size in hex, <chunks> for the body in chunks. */
  readonly body?: string;
}

/** A chat request with one thing otherwise. */
export function changed(change: Change): Text {
  return (parts) => {
    const body = chatBody(parts, 'seen');
    const fill = (text: string): string =>
      text
        .replaceAll('<n>', () => String(body.length))
        .replaceAll('<chunks>', () => inChunks(body))
        .replaceAll('<body>', () => body)
        .replaceAll('<hex>', () => body.length.toString(16))
        .replaceAll('<canary>', () => chat(parts, 'inside'));
    const { line = `POST ${PATH} HTTP/1.1\r\n`, host = 'Host: localhost\r\n', lines = '', framing = 'Content-Length: <n>\r\n' } = change;
    return `${line}${host}${usual(parts)}${fill(lines)}${fill(framing)}\r\n${fill(change.body ?? '<body>')}`;
  };
}

/** Vectors of one family from changes by name. */
export function family(family: string, changes: Readonly<Record<string, Change>>, rest: Partial<Vector> = {}): Vector[] {
  return Object.entries(changes).map(([name, change]) => vector(family, name, changed(change), rest));
}

/** One vector, with the two requests behind it unless told otherwise. */
export function vector(family: string, name: string, text: Text, rest: Partial<Vector> = {}): Vector {
  return { family, name, text, hasCanaries: true, end: 'waits', pieces: 1, ...rest };
}

/** Text as it is shown in a finding. */
export function shown(text: string): string {
  return JSON.stringify(text).slice(1, -1).slice(0, 80);
}

/** Changes by name, from many values of one place. */
export function each(values: readonly string[], change: (value: string) => Change, name = ''): Record<string, Change> {
  return Object.fromEntries(values.map((value) => [`${name}${shown(value)}`, change(value)]));
}
