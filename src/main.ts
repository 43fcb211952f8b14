import './boot.ts';
import { runCli } from './cli/run.ts';
import { handlers } from './app.ts';

const code = await runCli(process.argv.slice(2), handlers);
if (code !== 0) process.exitCode = code;
