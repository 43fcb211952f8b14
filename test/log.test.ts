import { describe, expect, test } from 'bun:test';
import { Log, logLine, type LogSink } from '../src/log.ts';

/** A reader that stands still, reads on, or goes away when a test says so. */
class Pipe implements LogSink {
  readonly taken: string[] = [];
  takes = true;
  readonly #listeners: Record<'drain' | 'error', (() => void)[]> = { drain: [], error: [] };

  write(text: string): boolean {
    this.taken.push(text);
    return this.takes;
  }

  on(event: 'drain' | 'error', listener: () => void): void {
    this.#listeners[event].push(listener);
  }

  tell(event: 'drain' | 'error'): void {
    for (const listener of this.#listeners[event]) listener();
  }
}

function logTo(pipe: Pipe): Log {
  return new Log(
    () => pipe,
    () => 1_767_225_600_123,
  );
}

const read = (line: string) => JSON.parse(line) as Record<string, unknown>;

describe('a line', () => {
  test('has time, level and event first, and nothing overrides them', () => {
    const line = logLine(1_767_225_600_123, 'warn', 'thing', { a: 1, level: 'x', time: 'y', event: 'z' });
    expect(line).toBe('{"time":"2026-01-01T00:00:00.123Z","level":"warn","event":"thing","a":1}\n');
  });

  const circular: Record<string, unknown> = {};
  circular['self'] = circular;
  test.each<[string, unknown]>([
    ['ends of lines', 'a\nb\r\nc{"event":"forged"}'],
    ['separators', 'a\u2028b\u2029c'],
    ['an escape of the terminal', 'a\u001b[31mred\u009b2J'],
    ['half a character', '\ud800'],
    ['a bigint', 12345678901234567890n],
    ['a circle', circular],
    [
      'what throws when it is written',
      {
        toJSON: () => {
          throw new Error('no');
        },
      },
    ],
    ['nothing', undefined],
  ])('stays one line of JSON with %s', (_, value) => {
    const line = logLine(0, 'info', 'thing', { value });
    expect(line.endsWith('\n')).toBe(true);
    expect(line.slice(0, -1)).toMatch(/^[\x20-\x7e\u00a0-\u2027\u202a-\uffff]+$/);
    expect(read(line)['event']).toBe('thing');
  });

  test('what JSON says, a reader reads back', () => {
    const value = 'a\nb\u2028c\u0085d "quoted" \\ é 漢';
    expect(read(logLine(0, 'info', 'thing', { value }))['value']).toBe(value);
  });

  test.each([
    ['pk_live_0123456789abcdefghijklmnopqrstuvwxyz', 'pk_live_[hidden]'],
    ['po_live_0123456789abcdefghijklmnopqrstuvwxyz', 'po_live_[hidden]'],
    ['Bearer sk-proj-0123456789_abcdef', 'Bearer sk-[hidden]'],
    ['the key pk_live_Ab3d... was revoked', 'the key pk_live_Ab3d... was revoked'],
    ['task-force-something', 'task-force-something'],
  ])('%s is shown as %s', (value, shown) => {
    expect(read(logLine(0, 'info', 'thing', { value }))['value']).toBe(shown);
  });

  test('a very long text is cut', () => {
    expect(logLine(0, 'info', 'thing', { value: 'x'.repeat(1_000_000) }).length).toBeLessThan(5_000);
  });
});

test.each([
  ['error', ['error']],
  ['warn', ['error', 'warn']],
  ['info', ['error', 'warn', 'info']],
  ['debug', ['error', 'warn', 'info', 'debug']],
] as const)('at level %s', (level, shown) => {
  const pipe = new Pipe();
  const log = logTo(pipe);
  log.level = level;
  for (const each of ['error', 'warn', 'info', 'debug'] as const) log.event(each, each);
  expect(pipe.taken.map((line) => read(line)['event'])).toEqual([...shown]);
});

describe('a reader that is slow or gone', () => {
  test('some lines wait, the rest is dropped and counted, and what waited comes in order', () => {
    const pipe = new Pipe();
    const log = logTo(pipe);
    pipe.takes = false;
    for (let index = 0; index < 40_000; index++) log.event('info', 'some', { index });
    expect(pipe.taken.length).toBe(1);
    expect(log.isBlocked).toBe(true);
    expect(log.dropped).toBeGreaterThan(10_000);
    pipe.takes = true;
    pipe.tell('drain');
    const lines = pipe.taken.join('').trimEnd().split('\n').map(read);
    expect(lines.length).toBe(40_000 - log.dropped);
    expect(lines.map(({ index }) => index)).toEqual(lines.map((_, index) => index));
    expect(log.isBlocked).toBe(false);
    log.event('info', 'after');
    expect(read(pipe.taken.at(-1)!)['event']).toBe('after');
  });

  test('one that is gone costs nothing but the lines', () => {
    const pipe = new Pipe();
    const log = logTo(pipe);
    log.event('info', 'first');
    pipe.tell('error');
    for (let index = 0; index < 10; index++) log.event('info', 'more');
    expect(pipe.taken.length).toBe(1);
    expect(log.dropped).toBe(10);
    expect(log.isBlocked).toBe(false);
  });
});

describe('the real standard error', () => {
  const script = `
    import { log, logEvent } from ${JSON.stringify(new URL('../src/log.ts', import.meta.url).pathname)};
    for (let index = 0; index < 20_000; index++) logEvent('some', { index, padding: 'x'.repeat(200) });
    await Bun.sleep(50);
    logEvent('last');
    console.log(JSON.stringify({ dropped: log.dropped > 0 }));
    process.exit(0);
  `;

  test.each([
    ['stands still', false],
    ['is closed', true],
  ])('that %s neither ends nor holds up the process', async (_, closed) => {
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'pipe', env: {} });
    if (closed) await child.stderr.cancel();
    expect((await new Response(child.stdout).text()).trim()).toBe('{"dropped":true}');
    expect(await child.exited).toBe(0);
  });
});
