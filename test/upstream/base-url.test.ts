import { describe, expect, test } from 'bun:test';
import { Refusal } from '../../src/domain/errors.ts';
import { checkBaseUrl } from '../../src/upstream/base-url.ts';

const good: readonly [string, string][] = [
  ['https://api.openai.com/v1', 'https://api.openai.com/v1'],
  ['https://api.openai.com/v1/', 'https://api.openai.com/v1'],
  ['https://api.openai.com/v1///', 'https://api.openai.com/v1'],
  ['https://API.Example.COM', 'https://api.example.com'],
  ['https://example.com:8443/a/b', 'https://example.com:8443/a/b'],
  ['https://example.com:443/v1', 'https://example.com/v1'],
  ['https://10.0.0.5:8000/v1', 'https://10.0.0.5:8000/v1'],
  ['https://192.168.1.20/v1', 'https://192.168.1.20/v1'],
  ['https://[fd12:3456:789a::1]/v1', 'https://[fd12:3456:789a::1]/v1'],
  ['https://[2606:4700::6810:84e5]/v1', 'https://[2606:4700::6810:84e5]/v1'],
  ['https://127.0.0.1:8443/v1', 'https://127.0.0.1:8443/v1'],
  ['https://example.com/a/../v1', 'https://example.com/v1'],
  ['https://metadata-service.example.com/v1', 'https://metadata-service.example.com/v1'],
  ['https://xn--bcher-kva.example/v1', 'https://xn--bcher-kva.example/v1'],
];

const loopback = [
  'http://127.0.0.1:11434/v1',
  'http://localhost:8000/v1',
  'http://[::1]:8000/v1',
  'http://127.9.9.9/v1',
  'http://ollama.localhost/v1',
  'http://2130706433/v1',
  'http://[::ffff:127.0.0.1]/v1',
];

const bad: readonly string[] = [
  '',
  'api.openai.com/v1',
  '//api.openai.com',
  'https://',
  'https:///v1',
  'https:api.openai.com',
  'ftp://example.com',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'unix:/run/docker.sock',
  'simulator://local/v1',
  'https://user@example.com/v1',
  'https://user:pass@example.com/v1',
  'https://good.example@evil.example/v1',
  'https://example.com\\@evil.example/v1',
  'https://example.com/v1?key=1',
  'https://example.com/v1?',
  'https://example.com/v1#x',
  'https://example.com/v1#',
  'https://exa mple.com',
  'https://example.com/v1\n',
  '\thttps://example.com',
  'https://exam\u0000ple.com',
  'https://example.com/\u00e9',
  'https://\uff11\uff16\uff19.254.169.254/',
  `https://example.com/${'a'.repeat(3_000)}`,
  'https://example.com:99999/',
  'https://example.com/v1/chat/completions',
  'https://example.com/v1/responses/',
  'https://example.com/v1/embeddings',
  'https://example.com/v1/models',
  'http://example.com/v1',
  'http://10.0.0.5:8000/v1',
  'http://192.168.1.20/v1',
  'http://localhost.example.com/v1',
  'http://[fd12:3456:789a::1]/v1',
  'https://169.254.169.254/latest',
  'https://169.254.170.2/v2',
  'https://2852039166/',
  'https://0xA9FEA9FE/',
  'https://0251.0376.0251.0376/',
  'https://0xa9.0xfe.0xa9.0xfe/',
  'https://169.254.43518/',
  'https://169.16689662/',
  'https://169.254.169.254./',
  'https://[::ffff:169.254.169.254]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[0:0:0:0:0:ffff:a9fe:a9fe]/',
  'https://[::169.254.169.254]/',
  'https://[64:ff9b::169.254.169.254]/',
  'https://[2002:a9fe:a9fe::1]/',
  'https://[::ffff:0:169.254.169.254]/',
  'https://[fe80::1]/',
  'https://[fd00:ec2::254]/',
  'https://[fd00:0ec2:0:0:0:0:0:0254]/',
  'https://[fd20:ce::254]/',
  'https://100.100.100.200/',
  'https://168.63.129.16/',
  'https://192.0.0.192/',
  'https://metadata.google.internal/',
  'https://METADATA.google.internal./',
  'https://metadata/',
  'https://a.metadata.google.internal/',
  'https://instance-data/latest',
  'https://0.0.0.0/',
  'https://0/',
  'https://[::]/',
  'https://255.255.255.255/',
  'https://224.0.0.1/',
  'https://[ff02::1]/',
  'http://169.254.169.254/',
  'http://0.0.0.0:8000/',
];

describe('base URLs', () => {
  test.each(good)('%s is kept as %s', (text, kept) => {
    expect(checkBaseUrl(text, { allowHttp: false })).toBe(kept);
  });

  test.each(loopback)('%s needs allowHttp', (text) => {
    expect(checkBaseUrl(text, { allowHttp: false })).toBeInstanceOf(Refusal);
    expect(checkBaseUrl(text, { allowHttp: true })).toStartWith('http://');
  });

  test.each(bad)('%j is refused with and without allowHttp', (text) => {
    for (const allowHttp of [false, true]) {
      const refusal = checkBaseUrl(text, { allowHttp });
      expect(refusal).toBeInstanceOf(Refusal);
      expect(refusal).toMatchObject({ reason: 'invalid_value', options: { param: 'base_url' } });
    }
  });
});
