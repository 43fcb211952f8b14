import { constants, setPriority } from 'node:os';

/**
 * Lets requests go before this thread. On Linux a thread has a priority of its own; elsewhere it would lower the whole process.
 * Not the lowest one: who waits for a lock that this thread holds would wait until nobody else wants the processor.
 */
export function stepBack(): void {
  if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL);
}
