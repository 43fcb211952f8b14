import { Refusal } from '../domain/errors.ts';
import type { ApiKey, Project } from '../domain/project.ts';
import type { Directory } from '../gateway/directory.ts';
import type { Store } from '../ledger/store.ts';

const UNIT_MS = { h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** A key, and when it was last used. */
export interface UsedKey {
  readonly key: ApiKey;
  /** Milliseconds since 1970; exact while the process runs, to the hour from before. Null when it was never used. */
  readonly lastUsedAtMs: number | null;
}

/** When keys were last used, without a write for any request: memory knows what came since the start, the hourly sums what was before. */
export class KeyUses {
  /** By project. What was before the start does not change, so it is asked once. */
  readonly #hours = new Map<number, Promise<ReadonlyMap<number, number>>>();

  constructor(
    readonly store: Pick<Store, 'keyUses'>,
    readonly directory: Directory,
    /** Since when memory knows every use, milliseconds since 1970. */
    readonly startMs: number,
  ) {}

  /** Keys of one project with their last use. */
  async of(project: Project, keys: readonly ApiKey[]): Promise<UsedKey[]> {
    const hours = await this.#hoursOf(project.id);
    return keys.map((key) => {
      const hourMs = hours.get(key.id);
      const earlier = hourMs === undefined ? null : Math.max(hourMs, key.createdAtMs);
      return { key, lastUsedAtMs: this.directory.key(key.sha256)?.lastUsedAtMs ?? earlier };
    });
  }

  #hoursOf(projectId: number): Promise<ReadonlyMap<number, number>> {
    const known = this.#hours.get(projectId);
    if (known) return known;
    const asked = this.store.keyUses(projectId, this.startMs).then((uses) => new Map(uses.map(({ keyId, hourMs }) => [keyId, hourMs])));
    this.#hours.set(projectId, asked);
    asked.catch(() => this.#hours.delete(projectId));
    return asked;
  }
}

/** Of these, the keys that work and that nobody has used for so long (`30d`, `12h`, `2w`), or ever. Throws a Refusal for another text. */
export function unusedFor(keys: readonly UsedKey[], stretch: string, nowMs: number): UsedKey[] {
  const parts = /^(\d{1,4})([hdw])$/.exec(stretch);
  if (!parts) throw new Refusal('invalid_value', 'unused_for must be a stretch of time like 30d, 12h or 2w.', { param: 'unused_for' });
  const sinceMs = nowMs - Number(parts[1]) * UNIT_MS[parts[2] as keyof typeof UNIT_MS];
  return keys.filter(({ key, lastUsedAtMs }) => isActive(key, nowMs) && (lastUsedAtMs ?? key.createdAtMs) <= sinceMs);
}

/** Whether the key opens anything now. */
export function isActive({ revokedAtMs, expiresAtMs }: ApiKey, nowMs: number): boolean {
  return revokedAtMs === null && (expiresAtMs === null || expiresAtMs > nowMs);
}
