/** A reader of JSON that shares nothing with ours: tells whether a name comes twice in some object of valid JSON text. */
export function hasTwin(text: string): boolean {
  const levels: (Set<string> | null)[] = [];
  for (const { 0: token, 1: string, 2: colon } of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/gs)) {
    if (token === '{') levels.push(new Set());
    else if (token === '[') levels.push(null);
    else if (token === '}' || token === ']') levels.pop();
    else if (colon !== undefined) {
      const names = levels.at(-1);
      const name = JSON.parse(string!) as string;
      if (names?.has(name) === true) return true;
      names?.add(name);
    }
  }
  return false;
}

/** What the ledger says of a decision, as far as a body shows it too. */
export interface Judged {
  readonly model: string;
  readonly requestedModel: string | null;
  readonly stream: number;
  /** 0 where there are none, as for embeddings. */
  readonly choices: number;
  readonly clientOutputCap: number | null;
}

const CAPS = ['max_completion_tokens', 'max_tokens', 'max_output_tokens'];

/** Where what the provider was sent is not what was judged. */
export function differences(judged: Judged, sentUpstream: Uint8Array): string[] {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(sentUpstream);
  const body = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const caps = CAPS.map((name) => body[name]).filter((cap) => typeof cap === 'number');
  const isStream = body['stream'] === true;
  return [
    ...(hasTwin(text) ? ['a body with a name twice was forwarded'] : []),
    ...(text.startsWith('\ufeff') ? ['a body with a byte-order mark was forwarded'] : []),
    ...(body['model'] === judged.model || body['model'] === judged.requestedModel ? [] : ['another model was judged than was asked for']),
    ...(isStream === (judged.stream === 1) ? [] : ['a stream was judged as none, or the other way round']),
    ...(judged.choices === 0 || (typeof body['n'] === 'number' ? body['n'] : 1) === judged.choices
      ? []
      : ['another number of choices was judged than was asked for']),
    ...(judged.clientOutputCap === null || (caps.length > 0 && Math.max(...caps) <= judged.clientOutputCap)
      ? []
      : ['a larger output cap was forwarded than was judged']),
  ];
}
