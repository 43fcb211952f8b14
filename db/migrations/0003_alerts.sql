CREATE TABLE `alert_deliveries` (
	`id` integer PRIMARY KEY NOT NULL,
	`public_id` text NOT NULL,
	`alert_id` integer NOT NULL,
	`dedupe_key` text NOT NULL,
	`type` text NOT NULL,
	`subject` text NOT NULL,
	`payload` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`next_attempt_at_ms` integer,
	`last_error` text,
	FOREIGN KEY (`alert_id`) REFERENCES `alerts`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "alert_deliveries_state" CHECK("alert_deliveries"."state" IN ('pending', 'delivered', 'failed')),
	CONSTRAINT "alert_deliveries_due_when_pending" CHECK(("alert_deliveries"."state" = 'pending') = ("alert_deliveries"."next_attempt_at_ms" IS NOT NULL)),
	CONSTRAINT "alert_deliveries_payload" CHECK(json_valid("alert_deliveries"."payload"))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `alert_deliveries_public_id_unique` ON `alert_deliveries` (`public_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `alert_deliveries_once` ON `alert_deliveries` (`alert_id`,`dedupe_key`);--> statement-breakpoint
CREATE INDEX `alert_deliveries_due` ON `alert_deliveries` (`next_attempt_at_ms`) WHERE state = 'pending';--> statement-breakpoint
ALTER TABLE `alerts` ADD `sealed_url` blob;--> statement-breakpoint
ALTER TABLE `alerts` ADD `sealed_secret` blob;