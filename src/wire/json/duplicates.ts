import { nameOf } from './members.ts';
import { endOfString } from './scan.ts';

/** How many members all objects of a parsed tree have. Fewer than the source has pairs means that one came twice. */
export function countKeys(value: object): number {
  let count = 0;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const item: unknown = value[index];
      if (typeof item === 'object' && item !== null) count += countKeys(item);
    }
    return count;
  }
  // `for in` takes half the time of `Object.keys`; a parsed tree inherits nothing that could be listed.
  for (const name in value) {
    count++;
    const item: unknown = (value as Record<string, unknown>)[name];
    if (typeof item === 'object' && item !== null) count += countKeys(item);
  }
  return count;
}

interface Level {
  readonly names: Set<string> | null;
  /** The name or the number of the item that is being read. */
  step: string;
  count: number;
}

/** The path (`messages.0.role`) of the first name that comes twice in an object of valid JSON, or null. Slow: only for the sentence of a refusal. */
export function findDuplicate(bytes: Uint8Array): string | null {
  const levels: Level[] = [];
  let wantsKey = false;
  for (let at = 0; at < bytes.length; at++) {
    const level = levels.at(-1);
    switch (bytes[at]) {
      case 0x22: {
        const end = endOfString(bytes, at + 1) + 1;
        if (wantsKey && level?.names) {
          level.step = nameOf(bytes, at, end);
          if (level.names.has(level.step)) return levels.map(({ step }) => step).join('.');
          level.names.add(level.step);
          wantsKey = false;
        }
        at = end - 1;
        break;
      }
      case 0x7b:
        levels.push({ names: new Set(), step: '', count: 0 });
        wantsKey = true;
        break;
      case 0x5b:
        levels.push({ names: null, step: '0', count: 0 });
        break;
      case 0x2c:
        if (level?.names) wantsKey = true;
        else if (level) level.step = String(++level.count);
        break;
      case 0x7d:
      case 0x5d:
        levels.pop();
        wantsKey = false;
    }
  }
  return null;
}
