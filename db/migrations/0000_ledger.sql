CREATE TABLE `alerts` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`workspace_id` integer NOT NULL,
	`project_id` integer,
	`definition` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`deleted_at_ms` integer,
	FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "alerts_definition" CHECK(json_valid("alerts"."definition"))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `alerts_public_id_unique` ON `alerts` (`public_id`);--> statement-breakpoint
CREATE TABLE `api_keys` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`project_id` integer NOT NULL,
	`name` text NOT NULL,
	`environment` text NOT NULL,
	`prefix` text NOT NULL,
	`sha256` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	`revoked_at_ms` integer,
	`lineage_id` integer,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "api_keys_environment" CHECK("api_keys"."environment" IN ('live', 'test')),
	CONSTRAINT "api_keys_sha256" CHECK(length("api_keys"."sha256") = 64)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_public_id_unique` ON `api_keys` (`public_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_sha256_unique` ON `api_keys` (`sha256`);--> statement-breakpoint
CREATE INDEX `api_keys_project` ON `api_keys` (`project_id`);--> statement-breakpoint
CREATE TABLE `audit_events` (
	`seq` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`at_ms` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`subject` text NOT NULL,
	`ip` text,
	`detail` text NOT NULL,
	CONSTRAINT "audit_events_detail" CHECK(json_valid("audit_events"."detail"))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `audit_events_public_id_unique` ON `audit_events` (`public_id`);--> statement-breakpoint
CREATE INDEX `audit_events_subject` ON `audit_events` (`subject`);--> statement-breakpoint
CREATE TABLE `balances` (
	`scope` text NOT NULL,
	`scope_id` text NOT NULL,
	`test` integer NOT NULL,
	`period_start_ms` integer NOT NULL,
	`model` text NOT NULL,
	`settled_nano_usd` integer NOT NULL,
	`requests` integer NOT NULL,
	`credits` integer NOT NULL,
	PRIMARY KEY(`scope`, `scope_id`, `test`, `period_start_ms`, `model`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `checkpoint` (
	`id` integer PRIMARY KEY NOT NULL,
	`batch` integer NOT NULL,
	`last_seq` integer NOT NULL,
	`last_at_ms` integer NOT NULL,
	`lowest_open_seq` integer NOT NULL,
	`probes` integer NOT NULL,
	CONSTRAINT "checkpoint_one" CHECK("checkpoint"."id" = 1)
) STRICT;
--> statement-breakpoint
CREATE TABLE `corrections` (
	`seq` integer PRIMARY KEY NOT NULL,
	`decision_seq` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`note` text NOT NULL,
	`author` text NOT NULL,
	`at_ms` integer NOT NULL,
	FOREIGN KEY (`decision_seq`) REFERENCES `settlements`(`decision_seq`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "corrections_cost" CHECK("corrections"."cost_nano_usd" >= 0)
) STRICT;
--> statement-breakpoint
CREATE INDEX `corrections_decision` ON `corrections` (`decision_seq`);--> statement-breakpoint
CREATE TABLE `credit_entries` (
	`seq` integer PRIMARY KEY NOT NULL,
	`workspace_id` integer NOT NULL,
	`requests` integer NOT NULL,
	`note` text NOT NULL,
	`author` text NOT NULL,
	`at_ms` integer NOT NULL,
	FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `credit_entries_workspace` ON `credit_entries` (`workspace_id`);--> statement-breakpoint
CREATE TABLE `decisions` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`project_id` integer NOT NULL,
	`key_id` integer NOT NULL,
	`connection_id` integer,
	`route` integer NOT NULL,
	`test` integer NOT NULL,
	`stream` integer NOT NULL,
	`model` text NOT NULL,
	`model_known` integer NOT NULL,
	`requested_model` text,
	`models` text,
	`ip` text,
	`country` text,
	`end_user` text,
	`fingerprint` integer NOT NULL,
	`repeated_tool_calls` integer NOT NULL,
	`stored_references` text,
	`priced` integer NOT NULL,
	`price_version` integer NOT NULL,
	`input_token_estimate` integer NOT NULL,
	`input_token_bound` integer NOT NULL,
	`input_hold_nano_usd` integer NOT NULL,
	`output_nano_usd_per_million` integer NOT NULL,
	`choices` integer NOT NULL,
	`client_output_cap` integer,
	`model_output_limit` integer NOT NULL,
	`output_floor` integer NOT NULL,
	`unpriced_feature` text,
	`policy_version` integer NOT NULL,
	`reason` text,
	`count` integer NOT NULL,
	`hold_nano_usd` integer,
	`output_cap` integer,
	`held_output_tokens` integer,
	`remaining_nano_usd` integer,
	`draws` integer NOT NULL,
	`status` integer,
	`finding` text,
	`observed` text,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`key_id`) REFERENCES `api_keys`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`connection_id`) REFERENCES `provider_connections`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "decisions_verdict" CHECK(("decisions"."reason" IS NULL) = ("decisions"."hold_nano_usd" IS NOT NULL)),
	CONSTRAINT "decisions_hold" CHECK("decisions"."hold_nano_usd" >= 0 AND "decisions"."held_output_tokens" >= 0),
	CONSTRAINT "decisions_count" CHECK("decisions"."count" >= 1 AND ("decisions"."count" = 1 OR "decisions"."reason" IS NOT NULL)),
	CONSTRAINT "decisions_codes" CHECK("decisions"."route" BETWEEN 0 AND 2 AND "decisions"."test" IN (0, 1) AND "decisions"."draws" BETWEEN 0 AND 2)
) STRICT;
--> statement-breakpoint
CREATE INDEX `decisions_project` ON `decisions` (`project_id`);--> statement-breakpoint
CREATE INDEX `decisions_key` ON `decisions` (`key_id`);--> statement-breakpoint
CREATE INDEX `decisions_reason` ON `decisions` (`reason`) WHERE reason IS NOT NULL;--> statement-breakpoint
CREATE TABLE `operators` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`name` text NOT NULL,
	`role` text NOT NULL,
	`token_sha256` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`deleted_at_ms` integer,
	CONSTRAINT "operators_role" CHECK("operators"."role" IN ('owner', 'viewer'))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `operators_public_id_unique` ON `operators` (`public_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `operators_token_sha256_unique` ON `operators` (`token_sha256`);--> statement-breakpoint
CREATE TABLE `policies` (
	`seq` integer PRIMARY KEY NOT NULL,
	`workspace_id` integer,
	`project_id` integer,
	`version` integer NOT NULL,
	`document` text NOT NULL,
	`author` text NOT NULL,
	`at_ms` integer NOT NULL,
	FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "policies_owner" CHECK(("policies"."workspace_id" IS NULL) <> ("policies"."project_id" IS NULL)),
	CONSTRAINT "policies_document" CHECK(json_valid("policies"."document"))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `policies_workspace` ON `policies` (`workspace_id`,`version`);--> statement-breakpoint
CREATE UNIQUE INDEX `policies_project` ON `policies` (`project_id`,`version`);--> statement-breakpoint
CREATE TABLE `price_overrides` (
	`seq` integer PRIMARY KEY NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`price` text,
	`author` text NOT NULL,
	`at_ms` integer NOT NULL,
	CONSTRAINT "price_overrides_price" CHECK("price_overrides"."price" IS NULL OR json_valid("price_overrides"."price"))
) STRICT;
--> statement-breakpoint
CREATE INDEX `price_overrides_model` ON `price_overrides` (`provider`,`model`);--> statement-breakpoint
CREATE TABLE `projects` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`workspace_id` integer NOT NULL,
	`name` text NOT NULL,
	`lineage_id` integer,
	`created_at_ms` integer NOT NULL,
	`deleted_at_ms` integer,
	FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `projects_public_id_unique` ON `projects` (`public_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `projects_name` ON `projects` (`workspace_id`,`name`) WHERE deleted_at_ms IS NULL;--> statement-breakpoint
CREATE TABLE `provider_connections` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`project_id` integer NOT NULL,
	`name` text NOT NULL,
	`kind` text NOT NULL,
	`base_url` text NOT NULL,
	`models` text NOT NULL,
	`ciphertext` blob,
	`nonce` blob,
	`secret_env` text,
	`created_at_ms` integer NOT NULL,
	`deleted_at_ms` integer,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "provider_connections_secret" CHECK(("provider_connections"."ciphertext" IS NULL) = ("provider_connections"."nonce" IS NULL)),
	CONSTRAINT "provider_connections_one_secret" CHECK("provider_connections"."ciphertext" IS NULL OR "provider_connections"."secret_env" IS NULL),
	CONSTRAINT "provider_connections_models" CHECK(json_valid("provider_connections"."models"))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `provider_connections_public_id_unique` ON `provider_connections` (`public_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `provider_connections_name` ON `provider_connections` (`project_id`,`name`) WHERE deleted_at_ms IS NULL;--> statement-breakpoint
CREATE TABLE `sentry_switches` (
	`seq` integer PRIMARY KEY NOT NULL,
	`workspace_id` integer,
	`project_id` integer,
	`enabled` integer NOT NULL,
	`author` text NOT NULL,
	`at_ms` integer NOT NULL,
	FOREIGN KEY (`workspace_id`) REFERENCES `workspaces`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "sentry_switches_owner" CHECK(("sentry_switches"."workspace_id" IS NULL) <> ("sentry_switches"."project_id" IS NULL)),
	CONSTRAINT "sentry_switches_enabled" CHECK("sentry_switches"."enabled" IN (0, 1))
) STRICT;
--> statement-breakpoint
CREATE TABLE `settlements` (
	`seq` integer PRIMARY KEY NOT NULL,
	`decision_seq` integer NOT NULL,
	`at_ms` integer NOT NULL,
	`outcome` integer NOT NULL,
	`basis` integer NOT NULL,
	`cost_nano_usd` integer NOT NULL,
	`input_tokens` integer,
	`cached_input_tokens` integer,
	`cache_write_tokens` integer,
	`audio_input_tokens` integer,
	`output_tokens` integer,
	`reasoning_tokens` integer,
	`audio_output_tokens` integer,
	`provider_cost_nano_usd` integer,
	`tool_calls` text,
	`flags` text,
	`overrun` integer NOT NULL,
	`upstream_status` integer NOT NULL,
	`first_byte_ms` integer,
	`duration_ms` integer NOT NULL,
	`response_id` text,
	`counts_volume` integer NOT NULL,
	FOREIGN KEY (`decision_seq`) REFERENCES `decisions`(`seq`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "settlements_cost" CHECK("settlements"."cost_nano_usd" >= 0),
	CONSTRAINT "settlements_codes" CHECK("settlements"."outcome" BETWEEN 0 AND 9 AND "settlements"."basis" BETWEEN 0 AND 3),
	CONSTRAINT "settlements_flags" CHECK("settlements"."overrun" IN (0, 1) AND "settlements"."counts_volume" IN (0, 1))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `settlements_decision_seq_unique` ON `settlements` (`decision_seq`);--> statement-breakpoint
CREATE INDEX `settlements_response` ON `settlements` (`response_id`) WHERE response_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `usage_rollups` (
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
	PRIMARY KEY(`hour_ms`, `project_id`, `key_id`, `test`, `model`, `country`, `reason`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `workspaces` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`name` text NOT NULL,
	`plan` text NOT NULL,
	`included_requests` integer,
	`created_at_ms` integer NOT NULL,
	CONSTRAINT "workspaces_plan" CHECK("workspaces"."plan" IN ('unlimited', 'free', 'plus', 'business', 'custom')),
	CONSTRAINT "workspaces_included" CHECK("workspaces"."included_requests" >= 0)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `workspaces_public_id_unique` ON `workspaces` (`public_id`);