/** A process that admits and settles as fast as it can, until it is killed. Prints a line for each allow that is durable. */
import { allowed, always, candidate, openSeeded, settlement } from '../harness.ts';

const { ledger } = await openSeeded(process.argv[2]!);
process.stdout.write('ready\n');

async function client(endUser: string): Promise<never> {
  for (let turn = 0; ; turn++) {
    const decision = await ledger.admit(candidate({ endUser }), 1, always(allowed()));
    process.stdout.write(`${decision.seq}\n`);
    await Bun.sleep(turn % 3);
    ledger.settle(settlement(decision, { costNanoUsd: 1_000 + turn }));
  }
}

for (let index = 0; index < 16; index++) void client(`user-${index % 4}`);
