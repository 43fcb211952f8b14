/** The bodies of the benchmarks' requests. Each has a number of ten digits, another one in each request, so that nothing takes them for a loop. */
export const DIGITS = 10;

const NUMBER = '0'.repeat(DIGITS);
const PROSE = 'It was a bright cold day in April, and \\"the clocks\\" were striking thirteen.\\n';

/** A PNG of 1024 x 1024 pixels as far as its header tells; what follows is filler. */
const PNG_HEAD = Buffer.from('89504e470d0a1a0a0000000d49484452000004000000040008060000007f1d2b83', 'hex').toString('base64').slice(0, 44);

/** The body of a kind: `small`, `prompt-BYTES`, `image-BYTES`, `embeddings` or `stream`. */
export function bodyOf(kind: string): string {
  const [name, bytes = '0'] = kind.split('-');
  const content = `Name tree number ${NUMBER}, please.`;
  switch (name) {
    case 'prompt':
      return chat(`"${content} ${PROSE.repeat(Math.ceil(Number(bytes) / PROSE.length))}"`);
    case 'image':
      return chat(
        `[{"type":"text","text":"${content}"},{"type":"image_url","image_url":{"url":"data:image/png;base64,${PNG_HEAD.padEnd(Number(bytes), 'A')}"}}]`,
      );
    case 'embeddings':
      return `{"model":"text-embedding-3-small","input":["${content}"]}`;
    case 'stream':
      return chat(`"${content}"`, ',"stream":true');
    default:
      return chat(`"${content}"`);
  }
}

function chat(content: string, more = ''): string {
  return `{"model":"gpt-4.1-mini","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":${content}}],"temperature":0.7${more}}`;
}

/** A request of this kind, and where its number stands. */
export function requestOf(
  kind: string,
  path: string,
  port: number,
  headers: Readonly<Record<string, string>>,
): { bytes: Buffer; numberAt: number } {
  const body = bodyOf(kind);
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'bench',
    ...headers,
  });
  const head = `POST ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return { bytes: Buffer.from(head + body), numberAt: head.length + body.indexOf(NUMBER) };
}
