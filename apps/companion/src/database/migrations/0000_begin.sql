CREATE TABLE "api_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"digest" text NOT NULL,
	"pepper_id" text NOT NULL,
	"scopes" jsonb NOT NULL,
	"tier" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone,
	"overlap_until" timestamp (3) with time zone,
	"replaced_by" text,
	"last_used_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "audit_checkpoints" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_checkpoints_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"seq" bigint NOT NULL,
	"hash" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"key_id" text NOT NULL,
	"signature" text NOT NULL,
	"reason" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit_head" (
	"id" integer PRIMARY KEY NOT NULL,
	"seq" bigint NOT NULL,
	"hash" text NOT NULL,
	CONSTRAINT "audit_head_is_one_row" CHECK ("audit_head"."id" = 1)
);
--> statement-breakpoint
CREATE TABLE "audit_records" (
	"seq" bigint PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"tenant" text NOT NULL,
	"type" text NOT NULL,
	"actor" text NOT NULL,
	"details" jsonb NOT NULL,
	"ip" text,
	"request_id" text,
	"prev_hash" text NOT NULL,
	"hash" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"tenant" text NOT NULL,
	"key" text NOT NULL,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"request_hash" text NOT NULL,
	"status" integer,
	"headers" jsonb,
	"body" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "idempotency_keys_key" PRIMARY KEY("tenant","key")
);
--> statement-breakpoint
CREATE TABLE "secret_fingerprints" (
	"fingerprint" text PRIMARY KEY NOT NULL,
	"first_seen_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "setup_configuration_versions" (
	"configuration_id" text NOT NULL,
	"version" integer NOT NULL,
	"tenant" text NOT NULL,
	"name" text NOT NULL,
	"provider" text NOT NULL,
	"public" jsonb NOT NULL,
	"sealed" text,
	"changed_by" text NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "setup_configuration_versions_key" PRIMARY KEY("configuration_id","version")
);
--> statement-breakpoint
CREATE TABLE "setup_configurations" (
	"id" text PRIMARY KEY NOT NULL,
	"tenant" text NOT NULL,
	"name" text NOT NULL,
	"provider" text NOT NULL,
	"public" jsonb NOT NULL,
	"sealed" text,
	"version" integer NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "setup_configurations_name" UNIQUE("tenant","name")
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant_tenants_id_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "setup_configuration_versions" ADD CONSTRAINT "setup_configuration_versions_of" FOREIGN KEY ("configuration_id") REFERENCES "public"."setup_configurations"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "setup_configurations" ADD CONSTRAINT "setup_configurations_tenant_tenants_id_fk" FOREIGN KEY ("tenant") REFERENCES "public"."tenants"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "api_keys_by_tenant" ON "api_keys" USING btree ("tenant","created_at","id");--> statement-breakpoint
CREATE INDEX "audit_checkpoints_by_seq" ON "audit_checkpoints" USING btree ("seq");--> statement-breakpoint
CREATE INDEX "audit_records_by_tenant" ON "audit_records" USING btree ("tenant","seq");--> statement-breakpoint
CREATE INDEX "audit_records_by_type" ON "audit_records" USING btree ("tenant","type","seq");--> statement-breakpoint
CREATE INDEX "audit_records_by_actor" ON "audit_records" USING btree ("tenant","actor","seq");--> statement-breakpoint
CREATE INDEX "audit_records_by_time" ON "audit_records" USING btree ("tenant","at");--> statement-breakpoint
CREATE INDEX "idempotency_keys_by_expiry" ON "idempotency_keys" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "setup_configurations_by_tenant" ON "setup_configurations" USING btree ("tenant","created_at","id");