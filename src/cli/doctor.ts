import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { ConfigFlags } from '../config.ts';
import type { ExaminationJson, FindingJson } from '../http/schemas/operator.ts';
import { VERSION } from '../version.ts';
import type { Client } from './client.ts';
import { show, withJson, type CliContext, type CommonOptions } from './context.ts';
import { table } from './output.ts';
import { CliProblem } from './problem.ts';
import { withDirectory } from './serve.ts';

interface DoctorOptions extends ConfigFlags, CommonOptions {
  readonly offline?: true;
}

interface Diagnosis {
  readonly ok: boolean;
  readonly findings: readonly FindingJson[];
}

/** `doctor`: looks at the files of this machine, and asks the running server for the rest. */
export function addDoctorCommand(program: Command, { io, client, handlers }: CliContext): void {
  const doctor = withDirectory(program.command('doctor').description('look for what is wrong, and say how to mend it')).option(
    '--offline',
    'only look at the data directory, and ask no server',
  );
  withJson(doctor, 'panicly doctor', 'panicly doctor --data /var/lib/panicly --offline', 'panicly doctor --json').action(
    async ({ json, offline, ...flags }: DoctorOptions) => {
      const server = offline ? [] : await askServer(client());
      const isHere = flags.data !== undefined || flags.config !== undefined || server.length <= 1 || existsSync(client().dataDir);
      const local = isHere ? [...(await handlers.examine(flags))] : [];
      const findings = merged(local, server);
      const diagnosis: Diagnosis = { ok: !findings.some(({ state }) => state === 'fail'), findings };
      show(io, json ? { json } : {}, diagnosis, diagnosisText);
      if (!diagnosis.ok) throw new CliProblem('something has to be mended', 1);
    },
  );
}

/** What the server says; one finding when it does not answer. */
async function askServer(client: Client): Promise<FindingJson[]> {
  try {
    const { version, findings } = await client.getSlowly<ExaminationJson>('/doctor');
    return [versionOf(version), ...findings];
  } catch (error) {
    if (!(error instanceof CliProblem)) throw error;
    return [{ check: 'server', state: 'warn', found: error.message, fix: 'start it, or look at the files only with --offline' }];
  }
}

function versionOf(version: string): FindingJson {
  const found = `answers, version ${version}`;
  if (version === VERSION) return { check: 'server', state: 'ok', found, fix: null };
  return { check: 'server', state: 'warn', found: `${found}; this command is ${VERSION}`, fix: 'restart the server with the new binary' };
}

/** What both looked at is told by the server: it is the one that matters. */
function merged(local: readonly FindingJson[], server: readonly FindingJson[]): FindingJson[] {
  const told = new Set(server.map(({ check }) => check));
  return [...local.filter(({ check }) => !told.has(check)), ...server];
}

function diagnosisText({ findings }: Diagnosis): string {
  const rows = table(
    ['STATE', 'CHECK', 'FOUND'],
    findings.map(({ state, check, found }) => [state, check, found]),
    [],
  );
  const fixes = findings.filter(({ fix }) => fix !== null).map(({ check, fix }) => `${check}: ${fix}\n`);
  return fixes.length === 0 ? `${rows}\nall is well\n` : `${rows}\nWhat to do:\n${fixes.join('')}`;
}
