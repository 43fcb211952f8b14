import { chat, chatBody, each, family, makeProject, PATH, usual, vector, type Parts, type Vector } from './vector.ts';

const LINES = [
  `POST  ${PATH} HTTP/1.1\r\n`,
  `POST\t${PATH}\tHTTP/1.1\r\n`,
  `POST\x0b${PATH} HTTP/1.1\r\n`,
  `POST ${PATH}\r\n`,
  `POST ${PATH} \r\n`,
  `POST ${PATH} HTTP/1.1 \r\n`,
  `POST ${PATH} HTTP/1.1 x\r\n`,
  `POST ${PATH} HTTP/1.1\x00\r\n`,
  `POST ${PATH} HTTP/9.9\r\n`,
  `POST ${PATH} HTTP/2.0\r\n`,
  `POST ${PATH} HTTP/0.9\r\n`,
  `POST ${PATH} http/1.1\r\n`,
  `POST ${PATH} HTTP/1.\r\n`,
  `POST ${PATH} HTTP/11\r\n`,
  `POST ${PATH} HTTP/1.10\r\n`,
  `POST ${PATH} HTTP/01.1\r\n`,
  `POST ${PATH} HTTP/1,1\r\n`,
  `POST ${PATH} HTTPS/1.1\r\n`,
  ` POST ${PATH} HTTP/1.1\r\n`,
  `\tPOST ${PATH} HTTP/1.1\r\n`,
  `\xef\xbb\xbfPOST ${PATH} HTTP/1.1\r\n`,
  `P\x00ST ${PATH} HTTP/1.1\r\n`,
  `P@ST ${PATH} HTTP/1.1\r\n`,
  `POST ${PATH}\x00 HTTP/1.1\r\n`,
  `POST ${PATH}\x01 HTTP/1.1\r\n`,
  `POST ${PATH}\x7f HTTP/1.1\r\n`,
  `POST ${PATH}\xe4 HTTP/1.1\r\n`,
  `POST ${PATH}%zz HTTP/1.1\r\n`,
  `POST v1/chat/completions HTTP/1.1\r\n`,
  `POST * HTTP/1.1\r\n`,
  `POST ?${PATH} HTTP/1.1\r\n`,
  `POST \\v1\\chat\\completions HTTP/1.1\r\n`,
  `POST /v1\\chat\\completions HTTP/1.1\r\n`,
  `POST ${PATH}#x HTTP/1.1\r\n`,
  `POST ${PATH} HTTP/1.1\n`,
  `POST ${PATH} HTTP/1.1\r`,
  `POST ${PATH} HTTP/1.1\r\r\n`,
  `POST ${PATH}\nX: y HTTP/1.1\r\n`,
  `POST ${PATH}\rX: y HTTP/1.1\r\n`,
  `HTTP/1.1 200 OK\r\n`,
  `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
  `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n`,
  `{"model":"gpt-4.1-mini"}\r\n`,
] as const;

const METHODS = [
  'post',
  'PoSt',
  'GET',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'PROPFIND',
  'TRACK',
  'DEBUG',
  'X',
  'POSTS',
  'P'.repeat(300),
];
const ABSOLUTE = [
  'http://localhost',
  'http://example.com',
  'https://localhost',
  'http://a',
  'http://localhost:1@example.com',
  'http://user@localhost',
  'ftp://localhost',
  'http:/',
  'http://',
  'HTTP://LOCALHOST',
  '//example.com',
  'http://[::1]',
  'http://a b',
];
const HOSTS = [
  '',
  'Host:\r\n',
  'Host: \r\n',
  'Host: a b\r\n',
  'Host: local/host\r\n',
  'Host: user@localhost\r\n',
  'Host: localhost:99999999\r\n',
  'Host: localhost:\r\n',
  'Host: localhost:-1\r\n',
  'Host: [::1\r\n',
  'Host: localhost, example.com\r\n',
  'Host: \x00\r\n',
  'Host: a?b\r\n',
  'Host: a#b\r\n',
  'Host: a\\b\r\n',
  'Host: a%zz\r\n',
  'Host: \xe4\r\n',
  'Host: localhost\x7f\r\n',
  'Host : localhost\r\n',
  ' Host: localhost\r\n',
  'Host: localhost\r\nHost: example.com\r\n',
  'Host: localhost\r\nHost: localhost\r\n',
  'Host: localhost\r\nHOST: example.com\r\n',
  'Host: localhost\r\nX: y\r\nhost: example.com\r\n',
  'Host: localhost\r\n example.com\r\n',
  'X-Host: localhost\r\n',
];
const SOUND_HOSTS = [
  'Host: a\r\n',
  'Host: ab\r\n',
  'Host: abc\r\n',
  'HOST: LOCALHOST\r\n',
  'host:localhost\r\n',
  'Host: localhost:3000\r\n',
  'Host: [::1]:80\r\n',
  'Host: 127.0.0.1\r\n',
  `Host: ${'a'.repeat(250)}\r\n`,
  'Host: a_b\r\n',
];

function lines(): Vector[] {
  return [
    ...family(
      'request line',
      each(LINES, (line) => ({ line })),
    ),
    ...family(
      'method',
      each(METHODS, (method) => ({ line: `${method} ${PATH} HTTP/1.1\r\n` })),
    ),
    ...family(
      'absolute form',
      each(ABSOLUTE, (origin) => ({ line: `POST ${origin}${PATH} HTTP/1.1\r\n` })),
    ),
    ...family(
      'host',
      each(HOSTS, (host) => ({ host })),
    ),
    ...family(
      'host, sound',
      each(SOUND_HOSTS, (host) => ({ host })),
    ),
    ...family('HTTP/1.0', {
      'no host': { line: `POST ${PATH} HTTP/1.0\r\n`, host: '' },
      'a host': { line: `POST ${PATH} HTTP/1.0\r\n` },
      'kept alive': { line: `POST ${PATH} HTTP/1.0\r\n`, lines: 'Connection: keep-alive\r\n' },
    }),
    ...['/', '/healthz', '/readyz', '/docs', '/openapi.json', '/metrics', '/admin/v1/status', '/v1/models', '/nowhere'].flatMap((path) => [
      vector('HTTP/1.0 without a host', path, () => `GET ${path} HTTP/1.0\r\n\r\n`),
      vector('two hosts elsewhere', path, () => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nHost: example.com\r\n\r\n`),
    ]),
  ];
}

function ends(): Vector[] {
  const bare = (find: string | RegExp, replacement: string) => (parts: Parts) => chat(parts, 'seen').replace(find, replacement);
  return [
    vector('line ends', 'nothing but LF', bare(/\r\n/g, '\n')),
    vector('line ends', 'nothing but CR', bare(/\r\n/g, '\r')),
    vector('line ends', 'LF CR', bare(/\r\n/g, '\n\r')),
    vector('line ends', 'LF at the end of the head', bare('\r\n\r\n', '\r\n\n')),
    vector('line ends', 'CR at the end of the head', bare('\r\n\r\n', '\r\n\r')),
    vector('line ends', 'two LF at the end of the head', bare('\r\n\r\n', '\n\n')),
    vector('line ends', 'two CR and LF', bare('\r\n\r\n', '\r\r\n\r\r\n')),
    vector('line ends', 'an empty line first', (parts) => `\r\n${chat(parts, 'seen')}`),
    vector('line ends', 'empty lines first', (parts) => `\r\n\r\n\r\n${chat(parts, 'seen')}`),
    vector('line ends', 'a LF first', (parts) => `\n${chat(parts, 'seen')}`),
    vector('line ends', 'a NUL first', (parts) => `\x00${chat(parts, 'seen')}`),
    vector('line ends', 'a CRLF too many behind the body', (parts) => `${chat(parts, 'seen')}\r\n`),
    vector('line ends', 'letters behind the body', (parts) => `${chat(parts, 'seen')}XY`),
  ];
}

/** Requests that lie in another one: only who loses count of the bytes executes them. */
function inside(): Vector[] {
  const wrap = (outer: string, inner: (parts: Parts) => string) => (parts: Parts) => {
    const body = inner(parts);
    return (
      outer
        .replace('USUAL', () => usual(parts))
        .replace('LENGTH', String(body.length))
        .replace('SIZE', body.length.toString(16)) + body
    );
  };
  const head = `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nUSUAL`;
  const inner = (parts: Parts): string => chat(parts, 'inside') + makeProject(parts, 'inside');
  return [
    vector('a request inside', 'a body with a length', wrap(`${head}Content-Length: LENGTH\r\n\r\n`, inner)),
    vector('a request inside', 'a chunk', wrap(`${head}Transfer-Encoding: chunked\r\n\r\nSIZE\r\n`, inner), {
      hasCanaries: false,
      end: 'shuts',
    }),
    ...['GET', 'HEAD', 'DELETE', 'OPTIONS', 'TRACE', 'PUT'].flatMap((method) => [
      vector(
        'a request inside',
        `the body of ${method}`,
        wrap(`${head}Content-Length: LENGTH\r\n\r\n`.replace(`POST ${PATH}`, `${method} /healthz`), inner),
      ),
      vector(
        'a request inside',
        `a chunk of ${method}`,
        (parts) =>
          `${method} /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${inner(parts).length.toString(16)}\r\n${inner(parts)}\r\n0\r\n\r\n`,
      ),
    ]),
    ...['/healthz', '/nowhere', '/admin/v1/projects', '/docs', '/v1/models'].map((path) =>
      vector(
        'a request inside',
        `the body for ${path}`,
        wrap(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nUSUALContent-Length: LENGTH\r\n\r\n`, inner),
      ),
    ),
    vector(
      'a request inside',
      'the body of who has no key',
      wrap(`POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: LENGTH\r\n\r\n`, inner),
    ),
    vector(
      'a request inside',
      'the body for two hosts',
      wrap(`POST ${PATH} HTTP/1.1\r\nHost: a\r\nHost: b\r\nUSUALContent-Length: LENGTH\r\n\r\n`, inner),
    ),
    vector(
      'a request inside',
      'a header value',
      (parts) =>
        `POST ${PATH} HTTP/1.1\r\nHost: localhost\r\nX-A: ${chat(parts, 'inside').split('\r\n')[0]!}\r\n${usual(parts)}Content-Length: ${chatBody(parts, 'seen').length}\r\n\r\n${chatBody(parts, 'seen')}`,
    ),
    vector('a request inside', 'ten in a row', (parts) => Array.from({ length: 10 }, (_, index) => chat(parts, `row${index}`)).join('')),
  ];
}

/** The first line, hosts, ends of lines and pipelines. */
export function lineVectors(): Vector[] {
  return [...lines(), ...ends(), ...inside()];
}
