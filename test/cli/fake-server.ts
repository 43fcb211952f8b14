import type { DecisionJson, KeyJson, ProjectJson, ProviderJson } from '../../src/http/schemas/operator.ts';

/** A request that reached the fake server. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | null;
  readonly body: unknown;
}

export const TOKEN = 'po_live_test';
const AT = '2026-11-22T14:00:00.000Z';

export const PROJECT: ProjectJson = { id: 'prj_1', workspace_id: 'wsp_1', name: 'default', created_at: AT };
export const KEY: KeyJson = {
  id: 'key_1',
  project_id: 'prj_1',
  name: 'backend',
  environment: 'live',
  prefix: 'pk_live_Ab3d',
  created_at: AT,
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
};
export const PROVIDER: ProviderJson = {
  id: 'con_1',
  project_id: 'prj_1',
  name: 'openai',
  kind: 'openai',
  base_url: 'https://api.openai.com/v1',
  models: ['*'],
  credential: 'environment',
  api_key_env: 'OPENAI_API_KEY',
  created_at: AT,
};
export const DECISION: DecisionJson = {
  id: 'dec_1',
  at: AT,
  workspace_id: 'wsp_1',
  project_id: 'prj_1',
  key_id: 'key_1',
  environment: 'live',
  route: 'chat',
  model: 'gpt-4.1-mini',
  requested_model: 'gpt-4.1-mini',
  stream: true,
  decision: 'allow',
  reason: null,
  finding: null,
  observed: [],
  count: 1,
  policy_version: 1,
  price_version: 1,
  ip: '127.0.0.1',
  country: null,
  end_user: null,
  hold_usd: '0.0123',
  output_cap: 1024,
  input_tokens_bound: 120,
  settlement: {
    outcome: 'completed',
    basis: 'reported',
    cost_usd: '0.000123',
    provider_cost_usd: null,
    input_tokens: 12,
    cached_input_tokens: 0,
    output_tokens: 34,
    reasoning_tokens: 0,
    upstream_status: 200,
    first_byte_ms: 20,
    duration_ms: 400,
    overrun: false,
    flags: [],
  },
  correction: null,
};
export const DENIAL: DecisionJson = {
  ...DECISION,
  id: 'dec_2',
  decision: 'deny',
  reason: 'project_budget',
  requested_model: 'evil\u001b[31mmodel',
  count: 7,
  settlement: null,
  finding: { control: 'budgets', rule: 'project day budget', limit: '10.00 USD', observed: '9.99 USD', remedy: 'Wait until midnight.' },
};

const list = (...data: readonly object[]) => ({ data, next_cursor: null });

const ANSWERS: Readonly<Record<string, object>> = {
  'GET /admin/v1/projects': { data: [PROJECT], next_cursor: 'p2' },
  'GET /admin/v1/projects?cursor=p2': list({ ...PROJECT, id: 'prj_2', name: 'web' }),
  'POST /admin/v1/projects': { ...PROJECT, id: 'prj_3', name: 'new' },
  'GET /admin/v1/projects/prj_2/keys': list(KEY),
  'POST /admin/v1/projects/prj_2/keys': { ...KEY, key: 'pk_live_secret' },
  'POST /admin/v1/keys/key_1/revoke': { ...KEY, revoked_at: AT },
  'GET /admin/v1/projects/prj_2/providers': list(PROVIDER),
  'POST /admin/v1/projects/prj_2/providers': PROVIDER,
  'GET /admin/v1/decisions?limit=50': { data: [DECISION, DENIAL], next_cursor: 'c2' },
  'GET /admin/v1/decisions?limit=2&decision=deny': list(DENIAL),
  'GET /admin/v1/decisions/dec_2': DENIAL,
};

/** An operator API that knows what the command line asks for in tests. */
export function fakeServer() {
  const seen: Seen[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const url = new URL(request.url);
      const text = await request.text();
      const authorization = request.headers.get('authorization');
      seen.push({
        method: request.method,
        path: url.pathname + url.search,
        authorization,
        body: text === '' ? null : (JSON.parse(text) as unknown),
      });
      return answer(`${request.method} ${url.pathname}${url.search}`, authorization);
    },
  });
  return { seen, url: `http://127.0.0.1:${server.port}`, stop: () => server.stop(true) };
}

function answer(request: string, authorization: string | null): Response {
  if (request === 'GET /readyz') return Response.json({ status: 'not_ready', parts: { ledger: false, prices: true } }, { status: 503 });
  if (authorization !== `Bearer ${TOKEN}`) return Response.json({ error: { message: 'no' } }, { status: 401 });
  if (request === 'DELETE /admin/v1/providers/con_1') return new Response(null, { status: 204 });
  if (request === 'GET /admin/v1/decisions?limit=9') return new Response('<html>', { status: 200 });
  const found = ANSWERS[request];
  if (found) return Response.json(found);
  return Response.json({ error: { reason: 'unknown_resource', message: 'Nothing has this id.\nReally.' } }, { status: 404 });
}
