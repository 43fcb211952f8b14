/**
 * Where a Worker's entry file is. In the compiled binary, entry points lie under the folder of `main.ts`;
 * from source, beside this file.
 */
export function workerUrl(file: 'writer.ts' | 'reader.ts'): string {
  return new URL(Bun.isStandaloneExecutable ? `./ledger/sqlite/${file}` : `./${file}`, import.meta.url).href;
}
