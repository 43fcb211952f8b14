import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliHandlers } from '../../src/cli/handlers.ts';
import { runCli } from '../../src/cli/run.ts';
import { startScenario, type Scenario } from './scenario.ts';

/** What a command did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a command is run. */
export interface RunOptions {
  readonly stdin?: string;
  /** What the person at the terminal answers; without one nobody is there. */
  readonly answer?: string;
  readonly onOut?: (text: string) => void;
  /** The server, when it is not that of the scenario. */
  readonly url?: string;
}

const unused = () => Promise.reject(new Error('not of this process'));

/** Commands that need a process of their own: none of them is run. */
export const NO_HANDLERS: CliHandlers = { serve: unused, examine: unused, init: unused, restore: unused, verify: unused };

/** The command line in this process against the real server, listening on a port of its own, with a directory for files. */
export class CommandLine {
  constructor(
    readonly scenario: Scenario,
    readonly url: string,
    readonly scratch: string,
    readonly handlers: CliHandlers,
  ) {}

  /** Runs a command as the first owner. */
  async run(argv: readonly string[], { stdin = '', answer, onOut, url = this.url }: RunOptions = {}): Promise<Ran> {
    const ran = { out: '', err: '' };
    const code = await runCli(argv, this.handlers, {
      io: {
        out: (text) => {
          ran.out += text;
          onOut?.(text);
        },
        err: (text) => void (ran.err += text),
        stdin: async () => stdin,
        stdinBytes: () => new Blob([stdin]).stream(),
        isInteractive: answer !== undefined,
        ask: async (question) => {
          ran.out += question;
          return answer ?? '';
        },
        nowMs: () => this.scenario.clock.nowMs(),
      },
      environment: () => ({ url, token: this.scenario.made.operatorToken, dataDir: '/nowhere' }),
    });
    return { code, ...ran };
  }

  /** Ends the server and removes both directories. */
  async close(): Promise<void> {
    await this.scenario.app.server?.stop(true);
    await this.scenario.close();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

/** Starts a server and a command line for it. The caller closes it. */
export async function startCommandLine(handlers: CliHandlers = NO_HANDLERS): Promise<CommandLine> {
  const scenario = await startScenario();
  scenario.app.listen({ hostname: '127.0.0.1', port: 0 });
  const scratch = mkdtempSync(join(tmpdir(), 'panicly-cli-'));
  return new CommandLine(scenario, `http://127.0.0.1:${scenario.app.server!.port}`, scratch, handlers);
}
