import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { parseDecisionId } from '../../src/domain/ids.ts';
import type { DecisionJson } from '../../src/http/schemas/operator.ts';
import { csvLine, type CsvCell } from '../../src/http/csv.ts';
import { openForWriting, ledgerPath } from '../../src/ledger/sqlite/open.ts';
import { startScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
beforeAll(async () => void (scenario = await startScenario()));
afterAll(() => scenario.close());

/** The body of an export, read piece by piece. */
async function exported(path: string): Promise<string> {
  const answer = await scenario.operate('GET', path);
  expect([path, answer.status]).toEqual([path, 200]);
  return answer.text;
}

async function exportOf(path: string, token = scenario.made.operatorToken): Promise<Response> {
  const headers = { host: 'panicly.test', authorization: `Bearer ${token}` };
  return await scenario.app.handle(new Request(`http://panicly.test/admin/v1${path}`, { headers }));
}

/** Every decision by the list, oldest first. */
async function listed(query = ''): Promise<DecisionJson[]> {
  const rows: DecisionJson[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { json } = await scenario.operate('GET', `/decisions?limit=1000${query}${cursor === '' ? '' : `&cursor=${cursor}`}`);
    rows.push(...(json['data'] as DecisionJson[]));
    cursor = json['next_cursor'] as string | null;
  }
  return rows.toReversed();
}

const jsonLines = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as DecisionJson);

/** A reader of RFC 4180, written for this test. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let [row, cell, quoted] = [[] as string[], '', false];
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quoted && char === '"' && text[at + 1] === '"') cell += text[at++];
    else if (char === '"') quoted = !quoted;
    else if (!quoted && char === ',') cell = (row.push(cell), '');
    else if (!quoted && char === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell]);
      [row, cell] = [[], ''];
      at++;
    } else cell += char;
  }
  expect([row, cell, quoted]).toEqual([[], '', false]);
  return rows;
}

describe('a line of CSV', () => {
  test.each<[string, readonly CsvCell[], string]>([
    ['plain', ['a', 1, true, null, undefined, 'b'], 'a,1,true,,,b\r\n'],
    ['what needs quotes', ['a,b', 'say "hi"', 'two\nlines', 'cr\rhere', ' edge'], '"a,b","say ""hi""","two\nlines","cr\rhere"," edge"\r\n'],
    ['formulas', ['=1+1', '+1+1', '-1+1', '@SUM(A1)', '=HYPERLINK("x")'], `'=1+1,'+1+1,'-1+1,'@SUM(A1),"'=HYPERLINK(""x"")"\r\n`],
    ['formulas behind a tab, a return, a line feed', ['\t=1', '\r=1', '\n=1'], `'\t=1,"'\r=1","'\n=1"\r\n`],
    ['formulas in wide letters', ['＝1', '＋1', '－1', '＠a'], `'＝1,'＋1,'－1,'＠a\r\n`],
    ['numbers stay numbers', ['-1.50', '0.000001', '-3', '+3', '-1e3'], `-1.50,0.000001,-3,'+3,'-1e3\r\n`],
  ])('%s', (_, cells, line) => expect(csvLine(cells)).toBe(line));
});

describe('exports', () => {
  beforeAll(async () => {
    const key = scenario.made.testKey;
    for (const model of ['gpt-4.1-mini', '=HYPERLINK("http://evil.example.com")', 'a,"b"'])
      await scenario.chat(key, { model, user: '@user' });
    await scenario.chat(key, { model: 'sim-no-usage' });
    await scenario.chat(key, { background: true });
    for (let index = 0; index < 400; index++) await scenario.chat(key, { messages: [{ role: 'user', content: `number ${index}` }] });
  }, 30_000);

  test('decisions as JSON lines are the list, oldest first', async () => {
    const text = await exported('/export/decisions?format=jsonl');
    const rows = await listed();
    expect(rows.length).toBeGreaterThan(400);
    expect(jsonLines(text)).toEqual(rows);
  });

  test.each(['&decision=deny', '&model=gpt-4.1-mini', '&environment=live', '&project=default&decision=allow', '&observed=true'])(
    'with the filters of the list: %s',
    async (filter) => expect(jsonLines(await exported(`/export/decisions?format=jsonl${filter}`))).toEqual(await listed(filter)),
  );

  test('decisions as CSV have a header, a line each, and no formula', async () => {
    const answer = await exportOf('/export/decisions');
    expect(answer.headers.get('content-type')).toStartWith('text/csv');
    expect(answer.headers.get('content-disposition')).toBe('attachment; filename="panicly-decisions.csv"');
    const [header, ...lines] = parseCsv(await answer.text());
    const rows = await listed();
    expect(lines.map((line) => line[0])).toEqual(rows.map(({ id }) => id));
    expect(lines.every((line) => line.length === header!.length)).toBe(true);
    const evil = lines.find((line) => line[header!.indexOf('requested_model')]!.includes('evil'))!;
    expect(evil[header!.indexOf('requested_model')]).toBe(`'=HYPERLINK("http://evil.example.com")`);
    expect(evil[header!.indexOf('end_user')]).toBe("'@user");
    expect(evil[header!.indexOf('cost_usd')]).toMatch(/^\d+\.\d{2,9}$/);
    expect(lines.flat().filter((cell) => /^[=+@\t]/.test(cell))).toEqual([]);
  });

  test.each(['day', 'hour,model', 'model', 'project,key,reason'])('usage by %s is the list', async (groups) => {
    const { json } = await scenario.operate('GET', `/usage?group_by=${groups}`);
    const lines = (await exported(`/export/usage?format=jsonl&group_by=${groups}`)).split('\n').slice(0, -1);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(json['data'] as unknown[]);
    const [header, ...csv] = parseCsv(await exported(`/export/usage?group_by=${groups}`));
    expect(csv).toHaveLength(lines.length);
    expect(header).toContain('cost_usd');
  });

  test.each([
    ['/export/decisions?format=xml', 400],
    ['/export/decisions?project=nowhere', 404],
    ['/export/decisions?limit=5', 400],
    ['/export/usage?group_by=moon', 400],
  ])('%s is %i', async (path, status) => expect((await scenario.operate('GET', path)).status).toBe(status));

  test('a page ends with the last row that was there when the export began', async () => {
    await scenario.ledger.ledger.drain();
    const seqOf = ({ id }: DecisionJson) => parseDecisionId(id)!.seq;
    const rows = (await listed()).slice(0, 12);
    for (const last of [seqOf(rows.at(-1)!), seqOf(rows.at(-1)!) + 1, seqOf(rows[0]!)]) {
      const page = await scenario.ledger.store.exportDecisions({}, 1, last);
      expect(page.rows.map(({ decision }) => decision.seq)).toEqual(rows.map(seqOf).filter((seq) => seq <= last));
      expect(page.nextSeq).toBeNull();
    }
  });

  test('every row once while new ones arrive, and it ends', async () => {
    const before = (await listed()).map(({ id }) => id);
    const response = await exportOf('/export/decisions?format=jsonl');
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      text += decoder.decode(value, { stream: true });
      await scenario.chat(scenario.made.testKey);
    }
    const ids = jsonLines(text).map(({ id }) => id);
    expect(ids).toEqual(before);
    expect((await listed()).length).toBeGreaterThan(ids.length);
  });
});

describe('200,000 rows', () => {
  const ROWS = 40_000;
  let pages = 0;

  beforeAll(async () => {
    await scenario.chat(scenario.made.testKey, { model: 'sim-error-500' });
    await scenario.ledger.ledger.drain();
    // Copies of one row, far quicker than so many requests; only the export looks at them.
    const db = openForWriting(ledgerPath(scenario.dataDir));
    const columns = db.query<{ name: string }, []>("SELECT name FROM pragma_table_info('decisions') WHERE name <> 'seq'").all();
    const names = columns.map(({ name }) => name).join(', ');
    db.run(
      `INSERT INTO decisions (seq, ${names}) SELECT 1000000 + n, ${names} FROM (SELECT * FROM decisions ORDER BY seq DESC LIMIT 1),
       (WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT ${ROWS}) SELECT n FROM numbers)`,
    );
    db.run(`UPDATE checkpoint SET last_seq = 1000000 + ${ROWS}`);
    db.close();
    const { store } = scenario.office;
    const real = store.exportDecisions.bind(store);
    store.exportDecisions = (...args) => (pages++, real(...args));
  }, 30_000);

  test('are read a page at a time, and only as fast as they are taken', async () => {
    pages = 0;
    const reader = (await exportOf('/export/decisions')).body!.getReader();
    let [lines, ahead] = [0, 0];
    for (let taken = 0; ; taken++) {
      const { done, value } = await reader.read();
      if (done) break;
      for (const byte of value) if (byte === 10) lines++;
      ahead = Math.max(ahead, pages - taken);
    }
    expect(lines).toBeGreaterThan(ROWS);
    expect(pages).toBeGreaterThan(ROWS / 512);
    expect(ahead).toBeLessThanOrEqual(3);
  }, 60_000);

  test('are not read on when the client has gone', async () => {
    const reader = (await exportOf('/export/decisions?format=jsonl')).body!.getReader();
    await reader.read();
    await reader.cancel();
    pages = 0;
    await scenario.office.store.projectNames();
    expect(pages).toBe(0);
  });
});

test('an export ends when its operator is shut out', async () => {
  const made = await scenario.operate('POST', '/operators', { name: 'short', role: 'viewer' });
  const response = await exportOf('/export/decisions?format=jsonl', String(made.json['token']));
  const reader = response.body!.getReader();
  await reader.read();
  await scenario.operate('DELETE', `/operators/${String(made.json['id'])}`);
  const rest = async (): Promise<string> => {
    while (!(await reader.read()).done);
    return 'it came to its end';
  };
  expect(await rest().catch(String)).toContain('shut out');
});
