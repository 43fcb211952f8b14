import { describe, expect, test } from 'bun:test';
import { projectFile, sources, type Source } from './support/sources.ts';

/**
 * The rules of the house that no compiler knows. A file that breaks one is named in the failure.
 * When a rule is in the way, change it here, in the same change, and say why.
 */

/** Who may import what of ours, by the beginning of its path. A room may always import from itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  policy: ['src/domain/'],
  pricing: ['src/domain/', 'db/models.json'],
  wire: ['src/domain/'],
  ledger: ['src/domain/', 'src/clock.ts', 'db/'],
  upstream: ['src/domain/', 'src/wire/', 'src/pricing/', 'src/clock.ts', 'src/version.ts'],
  gateway: [
    'src/domain/',
    'src/policy/',
    'src/pricing/',
    'src/wire/',
    'src/ledger/ledger.ts',
    'src/upstream/upstream.ts',
    'src/upstream/headers.ts',
    'src/upstream/providers.ts',
    'src/upstream/routing.ts',
    'src/upstream/watchdog.ts',
    'src/upstream/simulator/rates.ts',
    'src/upstream/simulator/triggers.ts',
    'src/clock.ts',
    'src/version.ts',
  ],
  operator: [
    'src/domain/',
    'src/policy/',
    'src/pricing/',
    'src/wire/',
    'src/gateway/',
    'src/ledger/',
    'src/upstream/',
    'src/config.ts',
    'src/clock.ts',
    'src/version.ts',
  ],
  http: ['src/domain/', 'src/wire/json.ts', 'src/gateway/', 'src/operator/', 'src/config.ts', 'src/clock.ts', 'src/version.ts'],
  // It looks on: at the path and the ledger from outside, and at the one place that sends things away.
  telemetry: ['src/domain/', 'src/gateway/', 'src/ledger/', 'src/upstream/', 'src/clock.ts', 'src/log.ts', 'src/version.ts'],
  // The clock is for "3 min ago" on a terminal.
  cli: ['src/domain/', 'src/http/schemas/operator.ts', 'src/config.ts', 'src/clock.ts', 'src/document-text.ts', 'src/version.ts'],
  dashboard: [],
};

/** Packages and built-ins that only these rooms may import. */
const TOOLS: readonly { readonly tool: RegExp; readonly rooms: readonly string[] }[] = [
  { tool: /^(?:elysia|@elysiajs\/)/, rooms: ['http'] },
  { tool: /^commander$/, rooms: ['cli'] },
  { tool: /^(?:bun:sqlite|drizzle-orm)/, rooms: ['ledger', 'operator'] },
  { tool: /^swagger-ui-dist\//, rooms: ['http'] },
];

/** Rooms whose functions give the same answer to the same question. Domain makes ids and keys, and so rolls dice. */
const PURE: readonly string[] = ['policy', 'pricing', 'wire'];

const all = sources('{src,test,db}/**/*.ts');
const src = all.filter((file) => file.path.startsWith('src/'));
const tests = all.filter((file) => file.path.endsWith('.test.ts'));

/** Template literals: their text may say any word. */
const TEMPLATES = /`(?:[^`\\]|\\.)*`/g;

function room(file: Source): string {
  return /^src\/([^/]+)\//.exec(file.path)?.[1] ?? '';
}

/** `path: what` for each file of `files` in which `found` finds something. */
function offenders(files: readonly Source[], found: (file: Source) => readonly string[]): string[] {
  return files.flatMap((file) => found(file).map((what) => `${file.path}: ${what}`));
}

function matches(file: Source, pattern: RegExp): string[] {
  return [...file.code.matchAll(pattern)].map(([match]) => match);
}

describe('who may import whom', () => {
  test('every folder of src has its line in the table', () => {
    const rooms = new Set(src.map(room).filter((name) => name !== ''));
    expect(Object.keys(MAY_IMPORT)).toEqual(expect.arrayContaining([...rooms]));
  });

  test('our own files', () => {
    const inRooms = src.filter((file) => room(file) !== '');
    const wrong = offenders(inRooms, (file) => {
      const allowed = [`src/${room(file)}/`, ...MAY_IMPORT[room(file)]!];
      const ours = file.imports.filter((target) => /^(?:src|db|test)\//.test(target));
      return ours.filter((target) => !allowed.some((beginning) => target.startsWith(beginning)));
    });
    expect(wrong).toEqual([]);
  });

  test('domain imports no package either', () => {
    const domain = src.filter((file) => room(file) === 'domain');
    expect(offenders(domain, (file) => file.imports.filter((target) => !target.startsWith('src/domain/')))).toEqual([]);
  });

  test.each(TOOLS.map(({ tool, rooms }) => [String(tool), tool, rooms] as const))('%s', (_, tool, rooms) => {
    const others = src.filter((file) => room(file) !== '' && !rooms.includes(room(file)));
    expect(offenders(others, (file) => file.imports.filter((target) => tool.test(target)))).toEqual([]);
  });

  test('imports of our own name their ending', () => {
    const wrong = offenders(all, (file) =>
      file.imports.filter((target) => /^(?:src|test|db)\//.test(target) && !/\.[a-z0-9]+$/.test(target)),
    );
    expect(wrong).toEqual([]);
  });
});

describe('one place each', () => {
  test.each([
    [
      'fetch',
      /(?<![.\w#])fetch\s*\(|\bglobalThis\.fetch\b|\bBun\.fetch\b/g,
      ['src/upstream/http.ts', 'src/cli/client.ts', 'src/cli/download.ts'],
    ],
    ['the environment', /\bprocess\.env\b|\bBun\.env\b|\bimport\.meta\.env\b/g, ['src/config.ts', 'src/boot.ts']],
    ['the clock', /\bDate\.now\b|\bperformance\.now\b|\bBun\.nanoseconds\b|\bnew Date\(\)|\bprocess\.hrtime\b/g, ['src/clock.ts']],
  ] as const)('%s', (_, pattern, places) => {
    const elsewhere = src.filter((file) => !(places as readonly string[]).includes(file.path));
    expect(offenders(elsewhere, (file) => matches(file, pattern))).toEqual([]);
    for (const place of places) expect(src.map((file) => file.path)).toContain(place);
  });

  test('policy, pricing and wire roll no dice and open no file', () => {
    const pure = src.filter((file) => PURE.includes(room(file)));
    const impure = /\bMath\.random\b|\bcrypto\.(?:getRandomValues|randomUUID)\b|\bset(?:Timeout|Interval)\b|\bBun\.file\b/g;
    const tools = (file: Source) => file.imports.filter((target) => /^node:(?:fs|net|http|child_process|worker_threads)/.test(target));
    expect(offenders(pure, (file) => [...matches(file, impure), ...tools(file)])).toEqual([]);
  });

  test('policy and pricing wait for nothing', () => {
    const waiting = src.filter((file) => ['policy', 'pricing'].includes(room(file)));
    expect(offenders(waiting, (file) => matches(file, /\bawait\b|\basync\b/g))).toEqual([]);
  });
});

describe('every file', () => {
  test('has no any and no silenced type error', () => {
    const banned = /(?::|<|\bas|\||=>)\s*any\b|\bany\[\]/g;
    expect(offenders(all, (file) => file.code.replace(TEMPLATES, '').match(banned) ?? [])).toEqual([]);
    expect(
      offenders(
        all,
        (file) => file.text.match(/@ts-(?:ignore|nocheck|expect-error)/g)?.filter(() => file.path !== 'test/tidy.test.ts') ?? [],
      ),
    ).toEqual([]);
  });

  test('has at most 400 lines', () => {
    expect(offenders(all, (file) => (file.lines > 400 ? [`${file.lines} lines`] : []))).toEqual([]);
  });

  test('promises nothing for later', () => {
    const later = /\bT[O]DO\b|\bF[I]XME\b|\bX{3}\b/g;
    expect(offenders(all, (file) => file.text.match(later) ?? [])).toEqual([]);
  });
});

describe('tests', () => {
  test('none is left out without a reason, none runs alone', () => {
    const only = /\b(?:test|it|describe)\.(?:only|todo)\b|(?<![\w.])x(?:it|test|describe)\(/g;
    expect(offenders(tests, (file) => matches(file, only))).toEqual([]);
    const skips = offenders(tests, (file) =>
      file.text.split('\n').filter((line) => /\.skip(?:If)?\(/.test(line) && !/\/\/ because /.test(line)),
    );
    expect(skips.filter((line) => !line.startsWith('test/tidy.test.ts'))).toEqual([]);
  });

  test('every file of tests asserts something', () => {
    expect(tests.filter((file) => !/\bexpect\b/.test(file.code)).map((file) => file.path)).toEqual([]);
  });
});

/** How a file says that it exports a control. */
const CONTROL = /export const (\w+)(?:: Control\b| = control\()/;

describe('controls', () => {
  const listed = src.find((file) => file.path === 'src/policy/controls.ts');
  const controls = src.filter((file) => file.path.startsWith('src/policy/controls/') && CONTROL.test(file.code));
  const policyTests = tests.filter((file) => file.path.startsWith('test/policy/'));

  test('there are controls', () => {
    expect(controls.length).toBeGreaterThan(9);
  });

  test.each(controls.map((file) => [file.path, file] as const))('%s is in the ordered list', (path, file) => {
    expect(listed?.imports).toContain(path);
    const name = CONTROL.exec(file.code)![1]!;
    const list = /CONTROLS = \[([\s\S]*?)\]/.exec(listed?.code ?? '')![1]!;
    expect(list.split(/[\s,]+/)).toContain(name);
  });

  test.each(controls.map((file) => [file.path, file] as const))('%s is tested', (path, file) => {
    const words = [path.replace(/.*\/(.*)\.ts$/, '$1'), CONTROL.exec(file.code)![1]!];
    const named = policyTests.filter((one) => words.some((word) => one.text.includes(word) || one.path.includes(word)));
    expect(named.map((one) => one.path)).not.toEqual([]);
  });

  test('every control name of the domain is a control', () => {
    const names = /type ControlName =([^;]+);/.exec(projectFile('src/domain/verdict.ts'))![1]!.match(/\w+/g)!;
    const used = controls.map((file) => /control\w*\(\s*'(\w+)'|name: '(\w+)'/.exec(file.text)?.slice(1).find(Boolean));
    expect(used).toEqual(expect.arrayContaining(names));
  });
});
