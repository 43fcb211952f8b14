CREATE TABLE `archived_balances` (
	`pruning_seq` integer NOT NULL,
	`scope` text NOT NULL,
	`scope_id` text NOT NULL,
	`test` integer NOT NULL,
	`period_start_ms` integer NOT NULL,
	`model` text NOT NULL,
	`settled_nano_usd` integer NOT NULL,
	`requests` integer NOT NULL,
	`credits` integer NOT NULL,
	PRIMARY KEY(`pruning_seq`, `scope`, `scope_id`, `test`, `period_start_ms`, `model`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `archived_rollups` (
	`pruning_seq` integer NOT NULL,
	`hour_ms` integer NOT NULL,
	`project_id` integer NOT NULL,
	`key_id` integer NOT NULL,
	`test` integer NOT NULL,
	`model` text NOT NULL,
	`country` text NOT NULL,
	`reason` text NOT NULL,
	`requests` integer NOT NULL,
	`input_tokens` integer NOT NULL,
	`cached_input_tokens` integer NOT NULL,
	`output_tokens` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	PRIMARY KEY(`pruning_seq`, `hour_ms`, `project_id`, `key_id`, `test`, `model`, `country`, `reason`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `chain_anchors` (
	`first_link` integer PRIMARY KEY NOT NULL,
	`last_link` integer NOT NULL,
	`last_seq` integer NOT NULL,
	`at_ms` integer NOT NULL,
	`before` blob NOT NULL,
	`after` blob NOT NULL,
	`mac` blob NOT NULL,
	CONSTRAINT "chain_anchors_range" CHECK("chain_anchors"."last_link" >= "chain_anchors"."first_link")
) STRICT;
--> statement-breakpoint
CREATE TABLE `chain_keys` (
	`id` integer PRIMARY KEY NOT NULL,
	`sealed` blob NOT NULL,
	`created_at_ms` integer NOT NULL,
	CONSTRAINT "chain_keys_one" CHECK("chain_keys"."id" = 1)
) STRICT;
--> statement-breakpoint
CREATE TABLE `chain_links` (
	`link` integer PRIMARY KEY NOT NULL,
	`last_seq` integer NOT NULL,
	`at_ms` integer NOT NULL,
	`entries` blob NOT NULL,
	`pruned` blob,
	`pruned_mac` blob,
	`mac` blob NOT NULL,
	CONSTRAINT "chain_links_mac" CHECK(length("chain_links"."mac") = 32),
	CONSTRAINT "chain_links_pruned" CHECK(("chain_links"."pruned" IS NULL) = ("chain_links"."pruned_mac" IS NULL))
) STRICT;
--> statement-breakpoint
CREATE TABLE `prunings` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`before_seq` integer NOT NULL,
	`decisions` integer NOT NULL,
	`settlements` integer NOT NULL,
	`corrections` integer NOT NULL,
	`archived_sha256` text NOT NULL,
	CONSTRAINT "prunings_sha256" CHECK(length("prunings"."archived_sha256") = 64)
) STRICT;
