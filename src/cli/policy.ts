import type { Command } from 'commander';
import type { PolicyJson } from '../http/schemas/operator.ts';
import { show, withJson, withNotes, type CliContext, type CommonOptions } from './context.ts';
import { readDocument } from './document.ts';
import { findOwner, type OwnerOptions } from './find.ts';
import { json } from './output.ts';
import { addReplayCommand } from './replay.ts';
import { CliProblem } from './problem.ts';

interface SetOptions extends OwnerOptions, CommonOptions {
  readonly ifVersion?: string;
}

/** `policy get`, `set` and `diff`. */
export function addPolicyCommands(program: Command, context: CliContext): void {
  const { io, client } = context;
  const policy = program.command('policy').description('the rules of a project or workspace');
  withJson(
    ofOwner(policy.command('get').description('print the policy in force as JSON')),
    'panicly policy get --project web > web.json',
    'panicly policy get --workspace default',
  ).action(async (options: OwnerOptions & CommonOptions) => {
    const { path } = await findOwner(client(), options);
    // Without --json only the document: what `policy set` takes.
    show(io, options, await client().get<PolicyJson>(`${path}/policy`), (standing) => json(standing.policy));
  });
  const set = withJson(
    ofOwner(
      policy.command('set').description('store a new version; requests that come after are judged by it').argument('<file>', FILE),
    ).option('--if-version <number>', 'only when this version is in force'),
    'panicly policy set web.toml --project web',
    'panicly policy set - --project web < web.json',
  );
  withNotes(set, ...DOCUMENT).action(async (file: string, options: SetOptions) => {
    const { value: document } = await readDocument(io, file);
    const { path, title } = await findOwner(client(), options);
    const headers = options.ifVersion === undefined ? {} : { 'if-match': `"${options.ifVersion}"` };
    const stored = await client().put<PolicyJson>(`${path}/policy`, document, {}, headers);
    show(io, options, stored, ({ version }) => `version ${version} is in force for ${title}\n`);
  });
  addDiff(policy, context);
  addReplayCommand(policy, context);
}

const DOCUMENT = [
  'Begin with what is in force: panicly policy get prints every section and field. What is left out takes its default. In TOML:',
  '',
  '  [[budgets]]',
  '  scope = "project"          # request, key, user, project or workspace',
  '  period = "month"           # day, week, month, total, or rolling',
  '  limit_usd = "200.00"',
  '',
  '  [models]',
  '  allow = ["gpt-4.1*"]',
  '',
  '  [burst]',
  '  mode = "observe"           # off, observe or enforce',
  '  requests = 120',
  '  window_seconds = 60',
];

const FILE = 'JSON or TOML; - reads the standard input';

function addDiff(policy: Command, { io, client }: CliContext): void {
  withJson(
    ofOwner(
      policy.command('diff').description('what "policy set" would change; exit code 1 when there is something').argument('<file>', FILE),
    ),
    'panicly policy diff web.toml --project web',
  ).action(async (file: string, options: OwnerOptions & CommonOptions) => {
    const { value: document } = await readDocument(io, file);
    const { path, title } = await findOwner(client(), options);
    const standing = await client().get<PolicyJson>(`${path}/policy`);
    const wanted = await client().put<PolicyJson>(`${path}/policy`, document, { dry_run: 'true' });
    const changes = changesOf(standing.policy, wanted.policy);
    show(io, options, { version: standing.version, changes }, () => changes.map(changeText).join(''));
    if (changes.length > 0) throw new CliProblem(`the file differs from version ${standing.version} of ${title}`, 1);
  });
}

function ofOwner(command: Command): Command {
  return command
    .option('--project <name>', 'name or id of the project (default: the only one)')
    .option('--workspace <name>', 'of the workspace instead, name or id');
}

/** One leaf that differs; a side that is not there is undefined. */
interface Change {
  readonly path: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

function changesOf(before: unknown, after: unknown): Change[] {
  const [old, fresh] = [leavesOf(before), leavesOf(after)];
  const paths = [...new Set([...old.keys(), ...fresh.keys()])];
  return paths
    .filter((path) => JSON.stringify(old.get(path)) !== JSON.stringify(fresh.get(path)))
    .map((path) => ({
      path,
      ...(old.has(path) ? { before: old.get(path) } : {}),
      ...(fresh.has(path) ? { after: fresh.get(path) } : {}),
    }));
}

function leavesOf(value: unknown, path = '', leaves = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) return leaves.set(path, value);
  for (const [name, member] of Object.entries(value)) leavesOf(member, path === '' ? name : `${path}.${name}`, leaves);
  return leaves;
}

function changeText(change: Change): string {
  const side = (sign: string, name: 'before' | 'after') =>
    name in change ? `${sign} ${change.path} = ${JSON.stringify(change[name])}\n` : '';
  return side('-', 'before') + side('+', 'after');
}
