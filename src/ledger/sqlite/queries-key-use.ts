import { sql } from 'drizzle-orm';
import type { BunSQLiteDatabase } from 'drizzle-orm/bun-sqlite';

/** The hour in which a key was last used, milliseconds since 1970. */
export interface KeyUse {
  readonly keyId: number;
  readonly hourMs: number;
}

/**
 * When each key of a project was last used, up to a moment, by the hourly sums. They are kept by line, so a key that was replaced counts
 * what its line did while the key was good.
 */
export function keyUses(db: BunSQLiteDatabase, { projectId, toMs }: { projectId: number; toMs: number }): KeyUse[] {
  return db.all<KeyUse>(sql`
    WITH used AS MATERIALIZED (SELECT DISTINCT key_id, hour_ms FROM usage_rollups WHERE project_id = ${projectId} AND hour_ms <= ${toMs})
    SELECT api_keys.id AS keyId, max(used.hour_ms) AS hourMs
    FROM api_keys JOIN used ON used.key_id = coalesce(api_keys.lineage_id, api_keys.id)
    WHERE api_keys.project_id = ${projectId}
      AND used.hour_ms > api_keys.created_at_ms - 3600000
      AND used.hour_ms <= coalesce(api_keys.revoked_at_ms, api_keys.expires_at_ms, used.hour_ms)
    GROUP BY api_keys.id`);
}
