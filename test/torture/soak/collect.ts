/**
 * Loaded into the server before its program: on SIGUSR2 it collects all garbage and writes what is left to the file
 * that SOAK_REPORT names. Without it nobody could tell what is kept from what the collector has not taken yet.
 */
import { heapStats } from 'bun:jsc';
import { renameSync, writeFileSync } from 'node:fs';

const path = process.env['SOAK_REPORT']!;

process.on('SIGUSR2', () => {
  Bun.gc(true);
  // What a finalizer lets go is garbage of the next collection.
  setTimeout(() => {
    Bun.gc(true);
    const { objectCount, heapSize } = heapStats();
    writeFileSync(`${path}.part`, JSON.stringify({ objects: objectCount, heapBytes: heapSize }));
    renameSync(`${path}.part`, path);
  }, 100);
});
