CREATE TABLE `price_catalogues` (
	`seq` integer PRIMARY KEY NOT NULL,
	`at_ms` integer NOT NULL,
	`origin` text NOT NULL,
	`rolled_back_to` integer,
	`as_of` text NOT NULL,
	`outranks_until` text NOT NULL,
	`pinned` integer NOT NULL,
	`sha256` text NOT NULL,
	`models` integer NOT NULL,
	`added` integer NOT NULL,
	`removed` integer NOT NULL,
	`changed` integer NOT NULL,
	`lowered` integer NOT NULL,
	`author` text NOT NULL,
	CONSTRAINT "price_catalogues_origin" CHECK("price_catalogues"."origin" IN ('embedded', 'refresh', 'rollback')),
	CONSTRAINT "price_catalogues_pinned" CHECK("price_catalogues"."pinned" IN (0, 1)),
	CONSTRAINT "price_catalogues_sha256" CHECK(length("price_catalogues"."sha256") = 64)
) STRICT;
--> statement-breakpoint
CREATE TABLE `price_documents` (
	`sha256` text PRIMARY KEY NOT NULL,
	`document` blob NOT NULL
) STRICT;
