package dev.zerodowntime.orchestrator.postgres;

import java.util.ArrayList;
import java.util.List;

/**
 * The control tables as DDL. People read them with plain SQL in the middle of the night: hence the
 * comments, and columns that any client shows.
 */
final class ControlTables {

  private final String schema;
  private final List<String> statements = new ArrayList<>();

  private ControlTables(String schema) {
    this.schema = schema;
  }

  /**
   * Version 1. Every statement may run again: Flyway commits a migration and its row in the history
   * table one after the other, so a process killed in between leaves the tables without that row.
   *
   * @param schema the control schema, quoted
   */
  static List<String> version1(String schema) {
    ControlTables tables = new ControlTables(schema);
    tables.database();
    tables.fleet();
    tables.migration();
    tables.work();
    return List.copyOf(tables.statements);
  }

  /**
   * Version 2. What an older library doesn't say of its members is not so.
   *
   * @param schema the control schema, quoted
   */
  static List<String> version2(String schema) {
    ControlTables tables = new ControlTables(schema);
    tables.statements.add(
        "ALTER TABLE "
            + schema
            + ".member ADD COLUMN IF NOT EXISTS column_type_safe boolean NOT NULL DEFAULT false");
    tables.comment(
        "member",
        "column_type_safe",
        "Whether its driver survives a column getting another type under its name.");
    return List.copyOf(tables.statements);
  }

  private void database() {
    table(
        "control",
        "One row about this database: which server it is, which environment, and the global pause"
            + " (UPDATE control SET paused = true stops everything at the next statement).",
        "id int PRIMARY KEY DEFAULT 1 CHECK (id = 1)",
        "version int",
        "min_reader int",
        "environment text",
        "identity text",
        "incarnation text",
        "incarnation_observer text DEFAULT ''",
        "incarnation_still bigint DEFAULT 0",
        "paused boolean DEFAULT false",
        "paused_reason text",
        "fleet_changed_at timestamptz",
        "installed_at timestamptz DEFAULT now()");
    comment("control", "version", "Version of these tables.");
    comment("control", "min_reader", "The oldest version of the library that can work with them.");
    comment("control", "identity", "The server and database these tables were written on.");
    comment("control", "incarnation", "The server''s last known start and timeline.");
    comment("control", "incarnation_observer", "The driver that watches a new incarnation.");
    comment(
        "control",
        "incarnation_still",
        "For how many milliseconds it has seen the new incarnation; no phase is entered before one"
            + " expiry.");
    comment("control", "fleet_changed_at", "When a pinned member was last ended.");
    table(
        "fleet",
        "One row that registering members lock shared and phase entries lock exclusively.",
        "id int PRIMARY KEY DEFAULT 1 CHECK (id = 1)");
    statements.add("INSERT INTO " + schema + ".fleet (id) VALUES (1) ON CONFLICT DO NOTHING");
    table(
        "lease",
        "One row: who may drive migrations. Tokens are compared by equality only.",
        "id int PRIMARY KEY DEFAULT 1 CHECK (id = 1)",
        "token text",
        "holder text",
        "holder_name text",
        "incarnation text",
        "acquired_at timestamptz",
        "expires_at timestamptz");
    comment("lease", "token", "Every statement of the holder checks it; null: nobody drives.");
    comment("lease", "incarnation", "The server''s start when it was given out; void on another.");
    statements.add("INSERT INTO " + schema + ".lease (id) VALUES (1) ON CONFLICT DO NOTHING");
  }

  private void fleet() {
    table(
        "application",
        "Every application known here; each counts for every unfinished migration.",
        "name text PRIMARY KEY",
        "first_seen_at timestamptz NOT NULL DEFAULT now()");
    table(
        "release",
        "Every build that registered. It holds migrations back for a while after its last member.",
        "application text",
        "release text",
        "stages text NOT NULL",
        "declared text NOT NULL",
        "finished text NOT NULL DEFAULT '[]'",
        "touches text",
        "deploy_seq bigint NOT NULL",
        "registered_at timestamptz NOT NULL DEFAULT now()",
        "last_member_at timestamptz",
        "proven_at timestamptz",
        "forgotten boolean NOT NULL DEFAULT false",
        "PRIMARY KEY (application, release)");
    comment("release", "stages", "JSON: \"schema|migration id\" -> the highest stage it declared.");
    comment("release", "declared", "JSON: migration id -> every stage it declared.");
    comment("release", "touches", "JSON list of the tables that its code uses; null: any.");
    comment("release", "deploy_seq", "Order in which the application''s releases came.");
    comment("release", "last_member_at", "When a member of it was last seen.");
    comment("release", "proven_at", "Since when it has been live for the soak time.");
    comment("release", "forgotten", "A person said that it won''t come back.");
    table(
        "member",
        "Every running instance that is counted.",
        "id text PRIMARY KEY",
        "application text NOT NULL",
        "release text NOT NULL",
        "role text",
        "stages text NOT NULL",
        "finished text NOT NULL DEFAULT '[]'",
        "touches text",
        "readers text NOT NULL DEFAULT '[]'",
        "host text",
        "registered_at timestamptz NOT NULL",
        "heartbeat bigint NOT NULL DEFAULT 0",
        "heartbeat_at timestamptz NOT NULL",
        "closed_at timestamptz",
        "session text",
        "observer text NOT NULL DEFAULT ''",
        "observed bigint NOT NULL DEFAULT -1",
        "still bigint NOT NULL DEFAULT 0",
        "row_type_safe boolean NOT NULL DEFAULT false",
        "driver_facts text",
        "incarnation text",
        "note text");
    comment("member", "stages", "JSON: \"schema|migration id\" -> the stage chosen for its life.");
    comment("member", "finished", "JSON list of migrations it declares finished.");
    comment("member", "touches", "JSON list of the tables that its code uses; null: any.");
    comment("member", "readers", "JSON list of the replicas that its queries go to.");
    comment("member", "heartbeat", "A counter: what counts is whether it moves, not the time.");
    comment("member", "closed_at", "Since when it is draining; it is still counted.");
    comment("member", "session", "process id @ start of the session of its heartbeat.");
    comment("member", "observer", "The driver that watches the counter.");
    comment("member", "observed", "The counter as last seen by the observer.");
    comment(
        "member",
        "still",
        "For how many milliseconds drivers have seen the counter stand still with the database"
            + " reachable; the member is gone when that reaches the expiry.");
    comment(
        "member", "row_type_safe", "Whether its driver survives a table getting other columns.");
    comment("member", "incarnation", "The server incarnation it registered with.");
    table(
        "pinned_member",
        "Code that can''t register but counts until a person ends it.",
        "id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        "application text NOT NULL",
        "label text NOT NULL",
        "stages text NOT NULL DEFAULT '{}'",
        "row_type_safe boolean NOT NULL DEFAULT false",
        "pinned_at timestamptz NOT NULL DEFAULT now()");
    comment(
        "pinned_member",
        "stages",
        "JSON: \"schema|migration id\" -> the stage; a migration that is missing here"
            + " means its oldest stage.");
  }

  private void migration() {
    table(
        "migration",
        "Every migration and where it is: reached = entering at rest.",
        "id text",
        "target_schema text",
        "ordinal bigint GENERATED BY DEFAULT AS IDENTITY UNIQUE",
        "owner text",
        "table_name text",
        "columns text",
        "operation text NOT NULL",
        "lifecycle text NOT NULL",
        "policy text NOT NULL",
        "after text NOT NULL DEFAULT '[]'",
        "facts text NOT NULL DEFAULT '{}'",
        "reached int NOT NULL DEFAULT 0",
        "entering int NOT NULL DEFAULT 0",
        "direction text NOT NULL DEFAULT 'UP'",
        "status text NOT NULL DEFAULT 'ACTIVE'",
        "target int",
        "target_reason text",
        "target_by text",
        "step text",
        "attempt int NOT NULL DEFAULT 0",
        "last_error text",
        "wait text",
        "fit_up_since timestamptz",
        "fit_down_since timestamptz",
        "since timestamptz NOT NULL DEFAULT now()",
        "created_at timestamptz NOT NULL DEFAULT now()",
        "finished_at timestamptz",
        "PRIMARY KEY (id, target_schema)");
    comment("migration", "ordinal", "Order of declaration.");
    comment("migration", "columns", "JSON list of the columns it changes.");
    comment("migration", "operation", "Canonical JSON of what it does; never edited.");
    comment("migration", "lifecycle", "JSON: phases by position, and the span of each code stage.");
    comment("migration", "after", "JSON list of migrations that must be usable first.");
    comment("migration", "facts", "JSON: what the catalog said; the steps are made from it.");
    comment("migration", "reached", "Position of the phase whose steps are all confirmed.");
    comment("migration", "entering", "Position of the phase being entered.");
    comment("migration", "target", "The phase it was told to go to; null: as far as gates allow.");
    comment("migration", "step", "The step that runs or ran last.");
    comment("migration", "wait", "What it waits for.");
    comment("migration", "fit_up_since", "Since when the whole fleet fits the next phase.");
    comment("migration", "fit_down_since", "Since when the whole fleet fits the phase before.");
    comment("migration", "since", "Since when it is where it is.");
  }

  private void work() {
    table(
        "event",
        "What happened, statement by statement. Only ever appended to.",
        "id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        "at timestamptz NOT NULL DEFAULT clock_timestamp()",
        "migration text",
        "target_schema text",
        "kind text NOT NULL",
        "phase text",
        "step text",
        "statement text",
        "duration_ms bigint",
        "lock_wait_ms bigint",
        "outcome text",
        "detail text",
        "member text",
        "release text",
        "token text");
    statements.add(
        "CREATE INDEX IF NOT EXISTS event_migration ON "
            + schema
            + ".event (migration, target_schema, id)");
    comment("event", "token", "The lease it happened under.");
    backfills();
    table(
        "approval",
        "What a person allowed.",
        "id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
        "migration text",
        "target_schema text",
        "phase text NOT NULL",
        "kind text NOT NULL",
        "plan_hash text",
        "approved_by text",
        "approved_at timestamptz NOT NULL DEFAULT now()",
        "spent_at timestamptz");
    comment(
        "approval",
        "plan_hash",
        "Hash of the SQL that was shown; other SQL needs another approval.");
    comment(
        "approval",
        "spent_at",
        "When the phase was entered, or what it was given for was undone: it counts once.");
  }

  private void backfills() {
    table(
        "backfill",
        "Every backfill and verification: the cursor that chunks are claimed from, and how fast it"
            + " goes. What people set here takes effect with the next batch; NULL: as the policy of"
            + " the migration says.",
        "migration text",
        "target_schema text",
        "step text",
        "state text NOT NULL",
        "paused boolean NOT NULL DEFAULT false",
        "workers int",
        "min_rows int",
        "max_rows int",
        "target_ms bigint",
        "pause_ms bigint",
        "max_lag_ms bigint",
        "max_waiting int",
        "run_window text",
        "waiting text",
        "last_error text",
        "rows_done bigint NOT NULL DEFAULT 0",
        "rows_seen bigint NOT NULL DEFAULT 0",
        "rows_total bigint",
        "rows_per_second double precision",
        "left_over bigint NOT NULL DEFAULT 0",
        "sweep int NOT NULL DEFAULT 1",
        "cursor_key text",
        "end_key text",
        "chunks bigint NOT NULL DEFAULT 0",
        "batch_rows int NOT NULL",
        "rate_at timestamptz NOT NULL DEFAULT clock_timestamp()",
        "started_at timestamptz NOT NULL DEFAULT clock_timestamp()",
        "updated_at timestamptz NOT NULL DEFAULT clock_timestamp()",
        "finished_at timestamptz",
        "PRIMARY KEY (migration, target_schema, step)");
    comment("backfill", "state", "RUNNING, VERIFYING or DONE.");
    comment("backfill", "paused", "Set it to true, and no more batches start.");
    comment("backfill", "workers", "How many may work on it at once, in all processes.");
    comment("backfill", "min_rows", "The fewest rows of a batch; fewer only where rows are slow.");
    comment("backfill", "max_rows", "The most rows of a batch, 10000 at most.");
    comment("backfill", "target_ms", "How many milliseconds a batch should take.");
    comment("backfill", "pause_ms", "Milliseconds between two batches of a worker.");
    comment("backfill", "max_lag_ms", "How far replicas may be behind; -1: as they like.");
    comment("backfill", "max_waiting", "How many sessions may wait for a batch; -1: any number.");
    comment(
        "backfill", "run_window", "When batches may run, as 22:00-05:00 UTC; empty: at any time.");
    comment("backfill", "waiting", "What it waits for; null: it goes on.");
    comment("backfill", "last_error", "Why it stopped; null: it has not.");
    comment("backfill", "rows_done", "Rows changed, in chunks that are done.");
    comment("backfill", "rows_seen", "Rows walked over in this sweep, in chunks that are done.");
    comment("backfill", "rows_total", "An estimate of the server; null: it has none.");
    comment("backfill", "rows_per_second", "Rows walked over per second, lately.");
    comment("backfill", "left_over", "Rows that this verification found unfilled or different.");
    comment("backfill", "sweep", "How many times the table is walked through by now.");
    comment("backfill", "cursor_key", "JSON list of text: keys up to this one were claimed.");
    comment("backfill", "end_key", "JSON list of text: the greatest key when the sweep began.");
    comment("backfill", "chunks", "How many chunks were claimed so far.");
    comment("backfill", "batch_rows", "Rows of a batch, lately.");
    comment("backfill", "rate_at", "When a chunk was last done.");
    table(
        "backfill_chunk",
        "Chunks of keys that are claimed, or done and not counted yet.",
        "migration text",
        "target_schema text",
        "step text",
        "chunk bigint",
        "from_key text",
        "to_key text NOT NULL",
        "token text",
        "worker text",
        "expires_at timestamptz",
        "done boolean NOT NULL DEFAULT false",
        "rows_done bigint NOT NULL DEFAULT 0",
        "rows_seen bigint NOT NULL DEFAULT 0",
        "left_over bigint NOT NULL DEFAULT 0",
        "batch_rows int NOT NULL",
        "claimed_at timestamptz NOT NULL DEFAULT clock_timestamp()",
        "PRIMARY KEY (migration, target_schema, step, chunk)");
    comment("backfill_chunk", "from_key", "JSON list of text: it is done up to this key.");
    comment("backfill_chunk", "to_key", "JSON list of text: it ends at this key.");
    comment("backfill_chunk", "token", "Every batch checks it; null: anybody may go on with it.");
    comment("backfill_chunk", "expires_at", "When others may take it over.");
  }

  private void table(String name, String comment, String... columns) {
    statements.add(
        "CREATE TABLE IF NOT EXISTS "
            + schema
            + "."
            + name
            + " (\n  "
            + String.join(",\n  ", columns)
            + "\n)");
    statements.add("COMMENT ON TABLE " + schema + "." + name + " IS '" + comment + "'");
  }

  private void comment(String table, String column, String comment) {
    statements.add(
        "COMMENT ON COLUMN " + schema + "." + table + "." + column + " IS '" + comment + "'");
  }
}
