import { httpUpstream } from '../../src/upstream/http.ts';

/** Started by http.test.ts with a URL and a count: sends that many requests at once and prints how many were answered. */
const [url = '', count = '0'] = process.argv.slice(2);
const upstream = httpUpstream();
const sent = Array.from({ length: Number(count) }, () =>
  upstream.send({
    url,
    method: 'POST',
    headers: {},
    body: new TextEncoder().encode('{}'),
    signal: null,
    firstByteMs: 20_000,
    idleMs: 20_000,
  }),
);
const results = await Promise.all(sent);
console.log(results.filter((result) => result.kind === 'answer').length);
process.exit(0);
