import { describe, expect, test } from 'bun:test';
import { readHttp, type Manner } from './oracle.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';
const NEXT = `${GET}\r\n`;

describe('the strict reader refuses', () => {
  test.each([
    ['both a length and a transfer encoding', `${GET}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['more than one length', `${GET}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`],
    ['a length is no number', `${GET}Content-Length: +3\r\n\r\nabc`],
    ['a transfer encoding that is not chunked', `${GET}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ['a transfer encoding in HTTP/1.0', `GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a chunk does not end where its size says', `${GET}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n`],
    ['a chunk size is none', `${GET}Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n`],
    ['a line ends with a bare LF', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['a bare CR', `${GET}X: a\rb\r\n\r\n`],
    ['2 hosts', `${GET}Host: b\r\n\r\n`],
    ['0 hosts', 'GET / HTTP/1.1\r\n\r\n'],
    ['a host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['a header line begins with a space', `${GET}X: a\r\n b\r\n\r\n`],
    ['a header name is none', `${GET}X : a\r\n\r\n`],
    ['a header value holds a control character', `${GET}X: a\0b\r\n\r\n`],
    ['a target that is none', 'GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['no request line', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ])('%s', (why, bytes) => {
    expect(readHttp(bytes + NEXT, 'strict')).toEqual({ requests: [], end: 'refuse', why });
  });
});

describe('every reader finds the same ends', () => {
  test.each(['strict', 'loose', 'lax'] as const)('%s', (manner) => {
    const withLength = `${GET}Content-Length: ${NEXT.length}\r\n\r\n${NEXT}`;
    const inChunks = `${GET}Transfer-Encoding: chunked\r\n\r\n${NEXT.length.toString(16)};x=y\r\n${NEXT}\r\n0\r\nA: b\r\n\r\n`;
    const { requests, end } = readHttp(withLength + inChunks + NEXT, manner);
    expect(end).toBe('clean');
    expect(requests.map(({ body }) => body)).toEqual([NEXT, NEXT, '']);
  });

  test.each(['strict', 'loose', 'lax'] as const)('%s: half a request is none', (manner) => {
    for (const bytes of [GET, `${GET}Content-Length: 3\r\n\r\nab`, `${GET}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`])
      expect(readHttp(bytes, manner)).toEqual({ requests: [], end: 'partial', why: '' });
  });
});

test.each([
  ['loose', 'GET / HTTP/1.1\nHost: a\n\n'],
  ['loose', `\r\n${NEXT}`],
  ['loose', `${GET}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`],
  ['lax', `${GET}X : a\r\n\r\n`],
  ['lax', `${GET}Host: b\r\n\r\n`],
] as readonly (readonly [Manner, string])[])('the %s reader takes %j, and no stricter one does', (manner, bytes) => {
  expect(readHttp(bytes, manner).requests).toHaveLength(1);
  expect(readHttp(bytes, manner === 'lax' ? 'loose' : 'strict').requests).toHaveLength(0);
});
