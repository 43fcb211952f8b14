import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, temporaryDirectory } from '../../support/binary.ts';

/** What wrk saw: how many answers of each kind (`200`, `503 overloaded` ...), and in how many seconds. */
export interface Flood {
  readonly answers: ReadonlyMap<string, number>;
  readonly seconds: number;
  /** Connections that broke, or answers that did not come in time. */
  readonly broken: number;
}

/** What to send. */
export interface FloodOptions {
  readonly url: string;
  readonly key: string;
  readonly clients: number;
  readonly seconds: number;
  /** How long each client waits after an answer, milliseconds. */
  readonly pauseMs: number;
  /** A small chat request when absent. */
  readonly body?: string;
}

const CHAT = JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: 'Name a tree.' }], max_tokens: 50 });

/** Clients of wrk that send one small chat request after the other. */
export async function flood({ url, key, clients, seconds, pauseMs, body = CHAT }: FloodOptions): Promise<Flood> {
  const script = join(temporaryDirectory(), 'chat.lua');
  writeFileSync(script, lua(key, pauseMs, body));
  const words = ['wrk', '-t1', `-c${clients}`, `-d${seconds}`, '--timeout', '10', '-s', script, `${url}/v1/chat/completions`];
  const { code, stdout, stderr } = await run(words, {}, (seconds + 30) * 1000);
  if (code !== 0) throw new Error(`wrk ended with ${code}: ${stderr}`);
  const answers = new Map([...stdout.matchAll(/^answer (.+)=(\d+)$/gm)].map((match) => [match[1]!, Number(match[2])]));
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  return { answers, seconds, broken: errors.reduce((sum, text) => sum + Number(text), 0) };
}

function lua(key: string, pauseMs: number, body: string): string {
  return `
wrk.method = "POST"
wrk.body = '${body}'
wrk.headers["content-type"] = "application/json"
wrk.headers["authorization"] = "Bearer ${key}"
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() counts = {}; text = "" end
${pauseMs > 0 ? `function delay() return ${Math.round(pauseMs)} end` : ''}
function response(status, headers, body)
  local kind = tostring(status)
  if status ~= 200 then kind = kind .. " " .. (string.match(body, '"reason":"([^"]*)"') or "?") end
  counts[kind] = (counts[kind] or 0) + 1
  text = ""
  for name, count in pairs(counts) do text = text .. "answer " .. name .. "=" .. count .. "\\n" end
end
function done() for _, thread in ipairs(threads) do io.write(thread:get("text") or "") end end
`;
}
