/** What the ledgers of tests are sealed with, where the program takes a key that is made from its master key. */
export const TEST_SEAL_KEYS: readonly Uint8Array[] = [new Uint8Array(32).fill(7)];
