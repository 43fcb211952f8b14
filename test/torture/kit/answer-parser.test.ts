import { describe, expect, test } from 'bun:test';
import { AnswerParser } from './answer-parser.ts';

/** Reads an answer in pieces of so many bytes. */
function read(text: string, size: number): AnswerParser {
  const parser = new AnswerParser('POST');
  for (let at = 0; at < text.length; at += size) parser.push(Buffer.from(text.slice(at, at + size)));
  return parser;
}

const HEAD = 'HTTP/1.1 200 OK\r\n';

describe.each([1, 7, 1_000])('in pieces of %d bytes', (size) => {
  test.each([
    ['a length', `${HEAD}content-length: 5\r\n\r\nabcde`, 'abcde', true],
    ['a length that is not reached', `${HEAD}content-length: 5\r\n\r\nabcd`, 'abcd', false],
    ['chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`, 'abcde', true],
    ['chunks without the last', `${HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n`, 'abc', false],
    ['an informational head first', `HTTP/1.1 103 Early Hints\r\n\r\n${HEAD}content-length: 1\r\n\r\na`, 'a', true],
    ['nothing to come', 'HTTP/1.1 204 No Content\r\n\r\n', '', true],
  ])('%s', (_name, text, body, isWhole) => {
    expect(read(text, size)).toMatchObject({ hasHead: true, body, isWhole });
  });
});
