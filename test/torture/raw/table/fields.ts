import { changed, chat, chatBody, each, family, PATH, usual, vector, type Parts, type Vector } from './vector.ts';

const LINES: Readonly<Record<string, string>> = {
  'a bare LF': 'X-A: b\n',
  'a bare LF before a length': 'X-A: b\nContent-Length: 1\r\n',
  'a bare CR': 'X-A: b\rContent-Length: 1\r\n',
  'a CR at the end': 'X-A: b\r\r\n',
  'LF CR': 'X-A: b\n\r',
  'an obs-fold': 'X-A: b\r\n c\r\n',
  'an obs-fold with a length': 'X-A: b\r\n\tContent-Length: 1\r\n',
  'an obs-fold of nothing': 'X-A: b\r\n \r\n',
  'a space before the colon': 'X-A : b\r\n',
  'a tab before the colon': 'X-A\t: b\r\n',
  'no colon': 'X-A\r\n',
  'no name': ': b\r\n',
  'nothing but a colon': ':\r\n',
  'a space in a name': 'X A: b\r\n',
  'a name above 127': 'X\xe4: b\r\n',
  'a line that is a request': `POST ${PATH} HTTP/1.1\r\n`,
  'a NUL in a name': 'X\x00A: b\r\n',
  'DEL in a name': 'X\x7fA: b\r\n',
};

const SOUND: Readonly<Record<string, string>> = {
  'nothing odd': '',
  'no value': 'X-A:\r\n',
  'spaces around a value': 'X-A:   b  \r\n',
  'bytes above 127 in a value': 'X-A: \xe4\xf6\r\n',
  'DEL in a value': 'X-A: b\x7fc\r\n',
  'a tab in a value': 'X-A: b\tc\r\n',
  'a long name': `${'X'.repeat(1_000)}: b\r\n`,
  'an own hop by hop': 'Connection: authorization, content-length, host\r\n',
  'close and keep-alive': 'Connection: close, keep-alive\r\n',
  closes: 'Connection: close\r\n',
  'another expectation': 'Expect: wonders\r\n',
  h2c: 'Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n',
  'a web socket':
    'Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n',
  'another method in a header':
    'X-HTTP-Method-Override: GET\r\nX-Original-URL: /admin/v1/projects\r\nX-Rewrite-URL: /admin/v1/projects\r\n',
  'forwarded for another': 'X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Host: example.com\r\nForwarded: for=127.0.0.1;host=example.com\r\n',
  'a TE header': 'TE: trailers, chunked\r\nTrailer: Content-Length\r\n',
  'names of prototypes': '__proto__: x\r\nconstructor: y\r\n',
};

function controls(): Vector[] {
  const codes = Array.from({ length: 32 }, (_, code) => code).filter((code) => code !== 9 && code !== 10 && code !== 13);
  return codes.flatMap((code) => [
    vector('control character', `${code} in a value`, changed({ lines: `X-A: b${String.fromCharCode(code)}c\r\n` })),
    ...(code % 4 === 0
      ? [vector('control character', `${code} in a name`, changed({ lines: `X${String.fromCharCode(code)}A: b\r\n` }))]
      : []),
  ]);
}

function floods(): Vector[] {
  const kilobytes = [8, 15, 17, 64, 200, 1_000];
  return [
    ...kilobytes.map((size) => vector('flood', `a header of ${size} KB`, changed({ lines: `X-A: ${'a'.repeat(size * 1_000)}\r\n` }))),
    ...kilobytes.map((size) =>
      vector('flood', `a target of ${size} KB`, changed({ line: `POST ${PATH}?${'a'.repeat(size * 1_000)} HTTP/1.1\r\n` })),
    ),
    ...[60, 99, 101, 199, 201, 1_000, 10_000].map((count) =>
      vector('flood', `${count} headers`, changed({ lines: 'X-A: b\r\n'.repeat(count) })),
    ),
    vector('flood', '150 names', changed({ lines: Array.from({ length: 150 }, (_, index) => `X-${index}: b\r\n`).join('') })),
    vector('flood', 'a name of 64 KB', changed({ lines: `${'X'.repeat(64_000)}: b\r\n` })),
    vector('flood', 'a method of 64 KB', changed({ line: `${'X'.repeat(64_000)} ${PATH} HTTP/1.1\r\n` })),
    vector('flood', 'empty lines', () => '\r\n'.repeat(20_000)),
    vector('flood', 'a head without an end', () => `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\n${'X-A: b\r\n'.repeat(50_000)}`, {
      hasCanaries: false,
    }),
    vector('flood', 'a line without an end', () => 'A'.repeat(1_000_000), { hasCanaries: false }),
  ];
}

/** Requests that never come to their end: nothing of them may be executed, though what is there makes sense. */
function halves(): Vector[] {
  const cut = (by: number) => (parts: Parts) => chat(parts, 'seen').slice(0, -by);
  const padded = (framing: string, body: (text: string) => string) => (parts: Parts) => {
    const text = chatBody(parts, 'seen');
    return `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\n${usual(parts)}${framing.replace('MORE', String(text.length + 20))}\r\n${body(text)}`;
  };
  const texts: Readonly<Record<string, (parts: Parts) => string>> = {
    'the line only': () => `POST ${PATH} HTTP/1.1\r\n`,
    'half a line': () => `POST ${PATH} HT`,
    'half a head': () => `POST ${PATH} HTTP/1.1\r\nHost: loc`,
    'the head only': (parts) => chat(parts, 'seen').split('\r\n\r\n')[0]!,
    'a head that lacks its last LF': (parts) => `${chat(parts, 'seen').split('\r\n\r\n')[0]!}\r\n\r`,
    'half a body': cut(30),
    'a body that lacks its last byte': cut(1),
    'a whole JSON, and more is announced': padded('Content-Length: MORE\r\n', (text) => text),
    'a chunk without its last one': padded('Transfer-Encoding: chunked\r\n', (text) => `${text.length.toString(16)}\r\n${text}\r\n`),
    'a last chunk without its end': padded('Transfer-Encoding: chunked\r\n', (text) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n`),
    'half a last chunk': padded('Transfer-Encoding: chunked\r\n', (text) => `${text.length.toString(16)}\r\n${text}\r\n0`),
    'half a chunk': padded('Transfer-Encoding: chunked\r\n', (text) => `${(text.length + 20).toString(16)}\r\n${text}`),
    'told to go on, and nothing comes': padded('Expect: 100-continue\r\nContent-Length: MORE\r\n', () => ''),
  };
  return Object.entries(texts).flatMap(([name, text]) =>
    (['shuts', 'leaves'] as const).map((end) =>
      vector('half a request', `${name}, and the client ${end}`, text, { hasCanaries: false, end }),
    ),
  );
}

function inPieces(): Vector[] {
  return [
    vector('in pieces', 'a request', (parts) => chat(parts, 'seen'), { pieces: 12 }),
    vector('in pieces', 'chunks', changed({ framing: 'Transfer-Encoding: chunked\r\n', body: '<chunks>' }), { pieces: 20 }),
    vector('in pieces', 'two lengths', changed({ framing: 'Content-Length: <n>\r\nContent-Length: 3\r\n' }), { pieces: 20 }),
    vector(
      'in pieces',
      'a length and an encoding',
      changed({ framing: 'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', body: '<chunks>' }),
      { pieces: 20 },
    ),
    vector('in pieces', 'told to go on', changed({ lines: 'Expect: 100-continue\r\n' }), { pieces: 4 }),
    vector('in pieces', 'two hosts', changed({ host: 'Host: a\r\nHost: b\r\n' }), { pieces: 20 }),
    vector(
      'in pieces',
      'a chunk of a wrong size',
      changed({ framing: 'Transfer-Encoding: chunked\r\n', body: '3\r\n<body>\r\n0\r\n\r\n' }),
      {
        pieces: 8,
      },
    ),
  ];
}

/** Headers, their sizes, and requests that break off. */
export function fieldVectors(): Vector[] {
  return [
    ...family('header', Object.fromEntries(Object.entries(LINES).map(([name, lines]) => [name, { lines }]))),
    ...family('header, sound', Object.fromEntries(Object.entries(SOUND).map(([name, lines]) => [name, { lines }]))),
    ...family(
      'sign in a name',
      each('"(),/;<=>?@[\\]{}'.split(''), (sign) => ({ lines: `X${sign}A: b\r\n` })),
    ),
    vector('header, sound', 'told to go on', changed({ lines: 'Expect: 100-continue\r\n' })),
    ...controls(),
    ...floods(),
    ...halves(),
    ...inPieces(),
  ];
}
