CREATE TABLE `archived_doubts` (
	`pruning_seq` integer NOT NULL,
	`hour_ms` integer NOT NULL,
	`project_id` integer NOT NULL,
	`kind` text NOT NULL,
	`requests` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	PRIMARY KEY(`pruning_seq`, `hour_ms`, `project_id`, `kind`),
	CONSTRAINT "archived_doubts_kind" CHECK("archived_doubts"."kind" IN ('estimated', 'held', 'corrected'))
) STRICT, WITHOUT ROWID;
