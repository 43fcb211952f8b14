import { describe, expect, test } from 'bun:test';
import { Refusal } from '../../src/domain/errors.ts';
import { checkBaseUrl } from '../../src/upstream/base-url.ts';
import { checkWebhookUrl } from '../../src/upstream/webhook-url.ts';

const good: readonly string[] = [
  'https://alerts.example.com/',
  'https://alerts.example.com/hooks/T0/B0/secret?thread=1&x=@y',
  'https://example.com:8443/a/b/',
  'https://10.0.0.5:8000/v1',
  'https://192.168.1.20/hook',
  'https://[fd12:3456:789a::1]/hook',
  'https://example.com/v1/chat/completions',
];

/** Hosts and schemes, each judged as that of a provider is; the rest of the URL is another matter. */
const origins: readonly string[] = [
  'https://127.0.0.1:8443',
  'http://127.0.0.1:11434',
  'http://localhost:8000',
  'http://[::1]:8000',
  'http://2130706433',
  'http://example.com',
  'http://10.0.0.5:8000',
  'http://localhost.example.com',
  'https://169.254.169.254',
  'https://2852039166',
  'https://0xA9FEA9FE',
  'https://0251.0376.0251.0376',
  'https://169.254.169.254.',
  'https://[::ffff:169.254.169.254]',
  'https://[64:ff9b::a9fe:a9fe]',
  'https://[2002:a9fe:a9fe::1]',
  'https://[fe80::1]',
  'https://[fd00:ec2::254]',
  'https://100.100.100.200',
  'https://168.63.129.16',
  'https://metadata.google.internal',
  'https://METADATA.google.internal.',
  'https://a.metadata.goog',
  'https://0.0.0.0',
  'https://224.0.0.1',
  'https://255.255.255.255',
  'ftp://example.com',
  'https://xn--bcher-kva.example',
];

const bad: readonly string[] = [
  '',
  'hooks.example.org/hook',
  '//hooks.example.org',
  'https:///hook',
  'javascript:alert(1)',
  'https://user@example.com/hook',
  'https://user:canary@example.com/hook',
  'https://example.com\\@evil.example/hook',
  'https://example.com/hook#canary',
  'https://exa mple.com/hook',
  'https://example.com/hook\n',
  'https://example.com/\u00e9',
  `https://example.com/${'a'.repeat(3_000)}`,
];

describe('webhook URLs', () => {
  test.each(good)('%s is taken as it is', (text) => {
    expect(checkWebhookUrl(text, { allowHttp: false })).toEqual(new URL(text));
  });

  test.each(origins.flatMap((origin) => [[origin, false] as const, [origin, true] as const]))(
    '%s is judged as a provider is (plain http to this machine: %p)',
    (origin, allowHttp) => {
      const asProvider = checkBaseUrl(`${origin}/v1`, { allowHttp });
      const asWebhook = checkWebhookUrl(`${origin}/hook?secret=1`, { allowHttp });
      expect(asWebhook instanceof Refusal).toBe(asProvider instanceof Refusal);
    },
  );

  test('the table above refuses and takes', () => {
    const taken = (allowHttp: boolean) => origins.filter((origin) => checkWebhookUrl(`${origin}/hook`, { allowHttp }) instanceof URL);
    expect(taken(false)).toEqual(['https://127.0.0.1:8443', 'https://xn--bcher-kva.example']);
    expect(taken(true)).toHaveLength(6);
  });

  test.each(bad)('%j is refused, and the refusal does not repeat it', (text) => {
    const refusal = checkWebhookUrl(text, { allowHttp: true });
    if (!(refusal instanceof Refusal)) throw new Error('it was taken');
    expect(refusal.options.param).toBe('url');
    if (text !== '') expect(refusal.message).not.toContain(text);
    expect(refusal.message).not.toMatch(/canary/);
  });
});
