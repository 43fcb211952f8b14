ALTER TABLE `audit_events` ADD `workspace_id` integer REFERENCES workspaces(id);--> statement-breakpoint
CREATE INDEX `audit_events_workspace` ON `audit_events` (`workspace_id`) WHERE workspace_id IS NOT NULL;--> statement-breakpoint
ALTER TABLE `operators` ADD `workspace_id` integer REFERENCES workspaces(id);--> statement-breakpoint
UPDATE `audit_events` SET `workspace_id` = coalesce(
  (SELECT `id` FROM `workspaces` WHERE `public_id` = `subject`),
  (SELECT `workspace_id` FROM `projects` WHERE `public_id` = `subject`),
  (SELECT `workspace_id` FROM `api_keys` JOIN `projects` ON `projects`.`id` = `project_id` WHERE `api_keys`.`public_id` = `subject`),
  (SELECT `workspace_id` FROM `provider_connections` JOIN `projects` ON `projects`.`id` = `project_id` WHERE `provider_connections`.`public_id` = `subject`)
);
