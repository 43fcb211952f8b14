import { each, family, type Vector } from './vector.ts';

const LENGTHS = [
  '+5',
  '-1',
  '-0',
  '0x5',
  '0x10',
  '1e1',
  '5,6',
  '5, 6',
  '',
  ' ',
  '5 5',
  '5;',
  '"5"',
  '5.0',
  'NaN',
  '5\x0b',
  '5\x00',
  '0b1',
  '5_0',
];
const HUGE = ['9223372036854775808', '18446744073709551617', '18446744073709551621', '4294967301', '9'.repeat(30), '0'.repeat(40) + '5'];
const PAIRS = [
  ['0', '1'],
  ['0', '<n>'],
  ['<n>', '0'],
  ['<n>', '500'],
  ['500', '<n>'],
  ['<n>', 'x'],
  ['<n>', ''],
] as const;
const NAMES = ['Content-Length', 'CONTENT-LENGTH', 'cOnTeNt-LeNgTh'];

function lengths(): Vector[] {
  const twice = PAIRS.flatMap(([one, two]) =>
    ['', 'X-A: b\r\n'].map((between): [string, { framing: string }] => [
      `${one} and ${two}${between === '' ? '' : ' apart'}`,
      { framing: `Content-Length: ${one}\r\n${between}Content-Length: ${two}\r\n` },
    ]),
  );
  return [
    ...family(
      'length',
      each(LENGTHS, (value) => ({ framing: `Content-Length: ${value}\r\n` })),
    ),
    ...family(
      'length, huge',
      each(HUGE, (value) => ({ framing: `Content-Length: ${value}\r\n` })),
    ),
    ...family('two lengths', Object.fromEntries(twice)),
    ...family(
      'two lengths, names',
      each(NAMES, (name) => ({ framing: `Content-Length: <n>\r\n${name}: 4\r\n` })),
    ),
    ...family('length, sound', {
      'zeros in front': { framing: 'Content-Length: 000<n>\r\n' },
      'spaces around': { framing: 'Content-Length:   <n>  \r\n' },
      'no space': { framing: 'Content-Length:<n>\r\n' },
      'a tab': { framing: 'Content-Length:\t<n>\r\n' },
      capitals: { framing: 'CONTENT-LENGTH: <n>\r\n' },
      'the same twice': { framing: 'Content-Length: <n>\r\nContent-Length: <n>\r\n' },
      'the same twice in a list': { framing: 'Content-Length: <n>, <n>\r\n' },
      'a request in the body': { framing: 'X-A: b\r\nContent-Length: <n>\r\n' },
      'none at all, and a body': { framing: '' },
    }),
    ...family('length, its name', {
      'a space before the colon': { framing: 'Content-Length : <n>\r\n' },
      'a tab before the colon': { framing: 'Content-Length\t: <n>\r\n' },
      'a space in front': { framing: ' Content-Length: <n>\r\n' },
      'a NUL behind': { framing: 'Content-Length\x00: <n>\r\n' },
      'an underscore': { framing: 'Content_Length: 3\r\nContent-Length: <n>\r\n' },
      'a folded value': { framing: 'Content-Length:\r\n <n>\r\n' },
      'no colon': { framing: 'Content-Length <n>\r\n' },
    }),
  ];
}

const CHUNKED = ['chunked', 'Chunked', 'CHUNKED', '  chunked  ', '\tchunked'];
const NOT_CHUNKED = [
  'chunked, identity',
  'identity, chunked',
  'identity',
  'xchunked',
  'chunkedx',
  'chunked;q=1',
  'gzip',
  'gzip, chunked',
  'chunked, chunked',
];
const BROKEN = [
  '"chunked"',
  "'chunked'",
  'chunked\x0b',
  '\x0bchunked',
  'chunked\x0c',
  '\x00chunked',
  'ch\x00unked',
  'chunked\\',
  'chunk',
  ',chunked',
  'chunked,',
  'cow',
  '',
  'chunked\x85',
  '\xa0chunked',
  'chun ked',
  '[chunked]',
];
const ODD_NAMES = [
  'Transfer-Encoding ',
  ' Transfer-Encoding',
  'Transfer_Encoding',
  'Transfer-Encoding\t',
  'Transfer\x00-Encoding',
  'X: y\nTransfer-Encoding',
  'X: y\rTransfer-Encoding',
  '\nTransfer-Encoding',
  'Transfer-Encoding\x0b',
  'Transfer\xadEncoding',
  '"Transfer-Encoding"',
];

function encodings(): Vector[] {
  const both = CHUNKED.flatMap((value) =>
    ['3', '0', '500'].flatMap((length): [string, { framing: string; body: string }][] => [
      [
        `${JSON.stringify(value)}, then ${length}`,
        { framing: `Transfer-Encoding: ${value}\r\nContent-Length: ${length}\r\n`, body: '<chunks>' },
      ],
      [
        `${length}, then ${JSON.stringify(value)}`,
        { framing: `Content-Length: ${length}\r\nTransfer-Encoding: ${value}\r\n`, body: '<chunks>' },
      ],
    ]),
  );
  const other = [...NOT_CHUNKED, ...BROKEN];
  return [
    ...family(
      'chunked',
      each(CHUNKED, (value) => ({ framing: `Transfer-Encoding: ${value}\r\n`, body: '<chunks>' })),
    ),
    ...family('length and encoding', Object.fromEntries(both)),
    ...family(
      'encoding',
      each(other, (value) => ({ framing: `Transfer-Encoding: ${value}\r\n`, body: '<chunks>' })),
    ),
    ...family(
      'encoding beside a length',
      each(other, (value) => ({ framing: `Transfer-Encoding: ${value}\r\nContent-Length: <n>\r\n` })),
    ),
    ...family(
      'two encodings',
      each(['chunked/identity', 'identity/chunked', 'chunked/chunked', 'cow/chunked', 'chunked/cow', 'chunked/'], (pair) => ({
        framing: `Transfer-Encoding: ${pair.split('/')[0]!}\r\nTransfer-Encoding: ${pair.split('/')[1]!}\r\n`,
        body: '<chunks>',
      })),
    ),
    ...family(
      'encoding, its name',
      each(ODD_NAMES, (name) => ({ framing: `${name}: chunked\r\nContent-Length: <n>\r\n` })),
    ),
    ...family('encoding in HTTP/1.0', {
      chunked: { line: 'POST /v1/chat/completions HTTP/1.0\r\n', framing: 'Transfer-Encoding: chunked\r\n', body: '<chunks>' },
      'kept alive': {
        line: 'POST /v1/chat/completions HTTP/1.0\r\n',
        framing: 'Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n',
        body: '<chunks>',
      },
      'with a length': {
        line: 'POST /v1/chat/completions HTTP/1.0\r\n',
        framing: 'Transfer-Encoding: chunked\r\nContent-Length: 3\r\n',
        body: '<chunks>',
      },
    }),
    ...family('encoding, folded', {
      'a line below': { framing: 'Transfer-Encoding:\r\n chunked\r\n', body: '<chunks>' },
      'beside a length': { framing: 'Transfer-Encoding:\r\n\tchunked\r\nContent-Length: <n>\r\n' },
    }),
  ];
}

const SIZES = [
  '-1',
  '-<hex>',
  '+<hex>',
  '0x<hex>',
  ' <hex>',
  'g',
  '',
  '1000000000000000<hex>',
  'fffffffffffffffff',
  '<hex>\x00',
  '<hex>\x0b',
  '<hex> <hex>',
  '<hex>,',
  '<hex>\r',
  '0000000000000000000000000<hex>',
  '"<hex>"',
  '<hex>x',
  '<hex>.0',
];

function chunks(): Vector[] {
  const framing = 'Transfer-Encoding: chunked\r\n';
  const bodies: Readonly<Record<string, string>> = {
    'longer than its size': '3\r\n<body>\r\n0\r\n\r\n',
    'shorter than its size': 'fff\r\n<body>\r\n0\r\n\r\n',
    'no CRLF behind it': '<hex>\r\n<body>0\r\n\r\n',
    'two bytes for CRLF': '<hex>\r\n<body>XX0\r\n\r\n',
    'a size that ends in LF': '<hex>\n<body>\r\n0\r\n\r\n',
    'a size that ends in CR': '<hex>\r<body>\r\n0\r\n\r\n',
    'a chunk that ends in LF': '<hex>\r\n<body>\n0\r\n\r\n',
    'a chunk that ends in CR': '<hex>\r\n<body>\r0\r\n\r\n',
    'a CR and a letter behind it': '<hex>\r\n<body>\rX0\r\n\r\n',
    'LF only': '<hex>\n<body>\n0\n\n',
    'a last chunk of LF': '<hex>\r\n<body>\r\n0\n\n',
    'a last chunk, then LF': '<hex>\r\n<body>\r\n0\r\n\n',
    'a LF in an extension': '<hex>;a\nb\r\n<body>\r\n0\r\n\r\n',
    'a CR in an extension': '<hex>;a\rb\r\n<body>\r\n0\r\n\r\n',
    'a NUL in an extension': '<hex>;a\x00b\r\n<body>\r\n0\r\n\r\n',
    'an extension that holds a request': '<hex>;\n<canary>\r\n<body>\r\n0\r\n\r\n',
    'a negative last chunk': '<hex>\r\n<body>\r\n-0\r\n\r\n',
    'letters behind the last chunk': '<hex>\r\n<body>\r\n0\r\nZ\r\n\r\n',
    'a request instead of a trailer': '<hex>\r\n<body>\r\n0\r\n<canary>',
    'a trailer without a colon': '<hex>\r\n<body>\r\n0\r\nX y\r\n\r\n',
    'a folded trailer': '<hex>\r\n<body>\r\n0\r\nX: y\r\n z\r\n\r\n',
    'a NUL in a trailer': '<hex>\r\n<body>\r\n0\r\nX: y\x00\r\n\r\n',
    'a second last chunk': '<hex>\r\n<body>\r\n0\r\n\r\n0\r\n\r\n',
  };
  const sound: Readonly<Record<string, string>> = {
    'an extension': '<hex>;a=b\r\n<body>\r\n0\r\n\r\n',
    'a quoted extension': '<hex>;a="b;c"\r\n<body>\r\n0\r\n\r\n',
    'an extension of 4,000': `<hex>;${'a'.repeat(4_000)}\r\n<body>\r\n0\r\n\r\n`,
    'an extension of 64,000': `<hex>;${'a'.repeat(64_000)}\r\n<body>\r\n0\r\n\r\n`,
    'a space behind the size': '<hex> \r\n<body>\r\n0\r\n\r\n',
    'zeros in front': '000<hex>\r\n<body>\r\n000\r\n\r\n',
    'a trailer': '<hex>\r\n<body>\r\n0\r\nX: y\r\n\r\n',
    'a length in the trailer': '<hex>\r\n<body>\r\n0\r\nContent-Length: 500\r\n\r\n',
    'an encoding in the trailer': '<hex>\r\n<body>\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n',
    'a key in the trailer': '<hex>\r\n<body>\r\n0\r\nAuthorization: Bearer nobody\r\nHost: example.com\r\n\r\n',
    '2,000 trailers': `<hex>\r\n<body>\r\n0\r\n${'X: y\r\n'.repeat(2_000)}\r\n`,
    'nothing in it': '0\r\n\r\n',
  };
  return [
    ...family(
      'chunk size',
      each(SIZES, (size) => ({ framing, body: `${size}\r\n<body>\r\n0\r\n\r\n` })),
    ),
    ...family('chunks', Object.fromEntries(Object.entries(bodies).map(([name, body]) => [name, { framing, body }]))),
    ...family('chunks, sound', Object.fromEntries(Object.entries(sound).map(([name, body]) => [name, { framing, body }]))),
  ];
}

/** All that says where a request ends. */
export function framingVectors(): Vector[] {
  return [...lengths(), ...encodings(), ...chunks()];
}
