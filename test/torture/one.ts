import { brokenLine, RESULT_MARK } from './apart.ts';
import type { Size } from './row.ts';
import { ROWS } from './rows.ts';
import type { Line } from './table.ts';

/** One row in this process: `bun test/torture/one.ts NAME SIZE`. Leaves its line on the standard output. */
const [name, size] = Bun.argv.slice(2) as [string, Size];
const row = ROWS.find((one) => one.name === name)!;

// An orderly exit: whoever started processes has a hook that ends them.
process.on('SIGTERM', () => process.exit(143));
process.on('SIGINT', () => process.exit(130));

let line: Line;
try {
  line = await row.run(size);
} catch (error) {
  line = brokenLine([`it broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`]);
}
await Bun.write(Bun.stdout, `${RESULT_MARK}${JSON.stringify({ ...line, findings: line.findings.slice(0, 200) })}\n`);
process.exit(0);
