package dev.zerodowntime.orchestrator.mysql;

import java.util.ArrayList;
import java.util.List;

/**
 * The control tables as DDL. People read them with plain SQL in the middle of the night: hence the
 * comments, and times without surprises: all of them are UTC.
 */
final class MysqlControlTables {

  private static final String ID = "VARCHAR(200)";
  private static final String SCHEMA = "VARCHAR(64)";
  private static final String STEP = "VARCHAR(400)";
  private static final String TEXT = "LONGTEXT";
  private static final String TIME = "DATETIME(3)";
  private static final String NOW = " NOT NULL DEFAULT (UTC_TIMESTAMP(3))";
  private static final String ONE = "INT NOT NULL DEFAULT 1 PRIMARY KEY CHECK (id = 1)";
  private static final String NUMBER = "BIGINT NOT NULL AUTO_INCREMENT";

  private final String schema;
  private final boolean mariadb;
  private final List<String> statements = new ArrayList<>();

  private MysqlControlTables(String schema, boolean mariadb) {
    this.schema = schema;
    this.mariadb = mariadb;
  }

  /**
   * Version 1. Every statement may run again: each commits by itself, so a process killed in
   * between leaves the first ones.
   *
   * @param schema the control schema, quoted
   * @param mariadb whether the server is a MariaDB
   */
  static List<String> version1(String schema, boolean mariadb) {
    MysqlControlTables tables = new MysqlControlTables(schema, mariadb);
    tables.database();
    tables.fleet();
    tables.migration();
    tables.work();
    tables.backfills();
    return List.copyOf(tables.statements);
  }

  private void database() {
    new Table(
            "control",
            "One row about this database: which server it is, which environment, and the global"
                + " pause (UPDATE zdo_control SET paused = TRUE stops everything at the next"
                + " statement).")
        .column("id", ONE)
        .column("version", "INT", "Version of these tables.")
        .column("min_reader", "INT", "The oldest version of the library that can work with them.")
        .column("environment", "VARCHAR(40)")
        .column("identity", TEXT, "The database these tables were written on.")
        .column("incarnation", TEXT, "The server's last known start.")
        .column("incarnation_observer", "VARCHAR(200) DEFAULT ''", "Who watches a new incarnation.")
        .column(
            "incarnation_still",
            "BIGINT DEFAULT 0",
            "For how many milliseconds it has seen the new incarnation; no phase is entered before"
                + " one expiry.")
        .column("paused", "BOOLEAN DEFAULT FALSE")
        .column("paused_reason", TEXT)
        .column("fleet_changed_at", TIME, "When a pinned member was last ended.")
        .column("installed_at", TIME + NOW)
        .create();
    new Table(
            "fleet",
            "One row that registering members lock shared and phase entries lock exclusively.")
        .column("id", ONE)
        .create();
    statements.add(one("fleet"));
    new Table("lease", "One row: who may drive migrations. Tokens are compared by equality only.")
        .column("id", ONE)
        .column(
            "token", "VARCHAR(64)", "Every statement of the holder checks it; NULL: nobody drives.")
        .column("holder", TEXT)
        .column("holder_name", TEXT)
        .column("incarnation", TEXT, "The server's start when it was given out; void on another.")
        .column("acquired_at", TIME)
        .column("expires_at", TIME)
        .create();
    statements.add(one("lease"));
  }

  private String one(String table) {
    return "INSERT INTO " + name(table) + " (id) VALUES (1) ON DUPLICATE KEY UPDATE id = 1";
  }

  private void fleet() {
    new Table(
            "application",
            "Every application known here; each counts for every unfinished migration.")
        .column("name", ID + " NOT NULL PRIMARY KEY")
        .column("first_seen_at", TIME + NOW)
        .create();
    new Table(
            "release",
            "Every build that registered. It holds migrations back for a while after its last"
                + " member.")
        .column("application", ID + " NOT NULL")
        .column("`release`", ID + " NOT NULL")
        .column(
            "stages",
            TEXT + " NOT NULL",
            "JSON: \"schema|migration id\" -> the highest stage it declared.")
        .column("declared", TEXT + " NOT NULL", "JSON: migration id -> every stage it declared.")
        .column("finished", TEXT + " NOT NULL DEFAULT ('[]')")
        .column("touches", TEXT, "JSON list of the tables that its code uses; NULL: any.")
        .column("deploy_seq", "BIGINT NOT NULL", "Order in which the application's releases came.")
        .column("registered_at", TIME + NOW)
        .column("last_member_at", TIME, "When a member of it was last seen.")
        .column("proven_at", TIME, "Since when it has been live for the soak time.")
        .column(
            "forgotten", "BOOLEAN NOT NULL DEFAULT FALSE", "A person said that it won't come back.")
        .key("PRIMARY KEY (application, `release`)")
        .create();
    new Table("member", "Every running instance that is counted.")
        .column("id", "VARCHAR(64) NOT NULL PRIMARY KEY")
        .column("application", ID + " NOT NULL")
        .column("`release`", ID + " NOT NULL")
        .column("role", "VARCHAR(40)")
        .column(
            "stages",
            TEXT + " NOT NULL",
            "JSON: \"schema|migration id\" -> the stage chosen for its life.")
        .column(
            "finished",
            TEXT + " NOT NULL DEFAULT ('[]')",
            "JSON list of migrations it declares finished.")
        .column("touches", TEXT, "JSON list of the tables that its code uses; NULL: any.")
        .column(
            "readers",
            TEXT + " NOT NULL DEFAULT ('[]')",
            "JSON list of the replicas that its queries go to.")
        .column("host", TEXT)
        .column("registered_at", TIME + " NOT NULL")
        .column(
            "heartbeat",
            "BIGINT NOT NULL DEFAULT 0",
            "A counter: what counts is whether it moves, not the time.")
        .column("heartbeat_at", TIME + " NOT NULL")
        .column("closed_at", TIME, "Since when it is draining; it is still counted.")
        .column("session", TEXT, "Connection id @ server's start of the session of its heartbeat.")
        .column(
            "observer", "VARCHAR(200) NOT NULL DEFAULT ''", "The driver that watches the counter.")
        .column(
            "observed", "BIGINT NOT NULL DEFAULT -1", "The counter as last seen by the observer.")
        .column(
            "still",
            "BIGINT NOT NULL DEFAULT 0",
            "For how many milliseconds drivers have seen the counter stand still with the database"
                + " reachable; the member is gone when that reaches the expiry.")
        .column(
            "row_type_safe",
            "BOOLEAN NOT NULL DEFAULT FALSE",
            "Whether its driver survives a table getting other columns.")
        .column("driver_facts", TEXT)
        .column("incarnation", TEXT, "The server incarnation it registered with.")
        .column(
            "column_type_safe",
            "BOOLEAN NOT NULL DEFAULT FALSE",
            "Whether its driver survives a column getting another type under its name.")
        .create();
    new Table("pinned_member", "Code that can't register but counts until a person ends it.")
        .column("id", NUMBER + " PRIMARY KEY")
        .column("application", ID + " NOT NULL")
        .column("label", ID + " NOT NULL")
        .column(
            "stages",
            TEXT + " NOT NULL DEFAULT ('{}')",
            "JSON: \"schema|migration id\" -> the stage; a migration that is missing here means its"
                + " oldest stage.")
        .column("row_type_safe", "BOOLEAN NOT NULL DEFAULT FALSE")
        .column("pinned_at", TIME + NOW)
        .create();
  }

  private void migration() {
    new Table("migration", "Every migration and where it is: reached = entering at rest.")
        .column("id", ID + " NOT NULL")
        .column("target_schema", SCHEMA + " NOT NULL")
        .column("ordinal", NUMBER + " UNIQUE", "Order of declaration.")
        .column("owner", TEXT)
        .column("table_name", TEXT)
        .column("columns", TEXT, "JSON list of the columns it changes.")
        .column("operation", TEXT + " NOT NULL", "Canonical JSON of what it does; never edited.")
        .column(
            "lifecycle",
            TEXT + " NOT NULL",
            "JSON: phases by position, and the span of each code stage.")
        .column("policy", TEXT + " NOT NULL")
        .column(
            "after",
            TEXT + " NOT NULL DEFAULT ('[]')",
            "JSON list of migrations that must be usable first.")
        .column(
            "facts",
            TEXT + " NOT NULL DEFAULT ('{}')",
            "JSON: what the catalog said; the steps are made from it.")
        .column(
            "reached",
            "INT NOT NULL DEFAULT 0",
            "Position of the phase whose steps are all confirmed.")
        .column("entering", "INT NOT NULL DEFAULT 0", "Position of the phase being entered.")
        .column("direction", "VARCHAR(8) NOT NULL DEFAULT 'UP'")
        .column("status", "VARCHAR(40) NOT NULL DEFAULT 'ACTIVE'")
        .column("target", "INT", "The phase it was told to go to; NULL: as far as gates allow.")
        .column("target_reason", TEXT)
        .column("target_by", TEXT)
        .column("step", STEP, "The step that runs or ran last.")
        .column("attempt", "INT NOT NULL DEFAULT 0")
        .column("last_error", TEXT)
        .column("wait", TEXT, "What it waits for.")
        .column("fit_up_since", TIME, "Since when the whole fleet fits the next phase.")
        .column("fit_down_since", TIME, "Since when the whole fleet fits the phase before.")
        .column("since", TIME + NOW, "Since when it is where it is.")
        .column("created_at", TIME + NOW)
        .column("finished_at", TIME)
        .key("PRIMARY KEY (id, target_schema)")
        .create();
  }

  private void work() {
    new Table("event", "What happened, statement by statement. Only ever appended to.")
        .column("id", NUMBER + " PRIMARY KEY")
        .column("at", TIME + NOW)
        .column("migration", ID)
        .column("target_schema", SCHEMA)
        .column("kind", "VARCHAR(40) NOT NULL")
        .column("phase", TEXT)
        .column("step", STEP)
        .column("statement", TEXT)
        .column("duration_ms", "BIGINT")
        .column("lock_wait_ms", "BIGINT")
        .column("outcome", TEXT)
        .column("detail", TEXT)
        .column("member", "VARCHAR(64)")
        .column("`release`", TEXT)
        .column("token", "VARCHAR(64)", "The lease it happened under.")
        .key("KEY event_migration (migration, target_schema, id)")
        .create();
    new Table("approval", "What a person allowed.")
        .column("id", NUMBER + " PRIMARY KEY")
        .column("migration", ID)
        .column("target_schema", SCHEMA)
        .column("phase", TEXT + " NOT NULL")
        .column("kind", "VARCHAR(40) NOT NULL")
        .column(
            "plan_hash", TEXT, "Hash of the SQL that was shown; other SQL needs another approval.")
        .column("approved_by", TEXT)
        .column("approved_at", TIME + NOW)
        .column(
            "spent_at",
            TIME,
            "When the phase was entered, or what it was given for was undone: it counts once.")
        .create();
  }

  private void backfills() {
    new Table(
            "backfill",
            "Every backfill and verification: the cursor that chunks are claimed from, and how fast"
                + " it goes. What people set here takes effect with the next batch; NULL: as the"
                + " policy of the migration says.")
        .column("migration", ID + " NOT NULL")
        .column("target_schema", SCHEMA + " NOT NULL")
        .column("step", STEP + " NOT NULL")
        .column("state", "VARCHAR(40) NOT NULL", "RUNNING, VERIFYING or DONE.")
        .column(
            "paused",
            "BOOLEAN NOT NULL DEFAULT FALSE",
            "Set it to true, and no more batches start.")
        .column("workers", "INT", "How many may work on it at once, in all processes.")
        .column("min_rows", "INT", "The fewest rows of a batch; fewer only where rows are slow.")
        .column("max_rows", "INT", "The most rows of a batch, 10000 at most.")
        .column("target_ms", "BIGINT", "How many milliseconds a batch should take.")
        .column("pause_ms", "BIGINT", "Milliseconds between two batches of a worker.")
        .column("max_lag_ms", "BIGINT", "How far replicas may be behind; -1: as they like.")
        .column("max_waiting", "INT", "How many sessions may wait for a batch; -1: any number.")
        .column("run_window", TEXT, "When batches may run, as 22:00-05:00 UTC; empty: at any time.")
        .column("waiting", TEXT, "What it waits for; NULL: it goes on.")
        .column("last_error", TEXT, "Why it stopped; NULL: it has not.")
        .column("rows_done", "BIGINT NOT NULL DEFAULT 0", "Rows changed, in chunks that are done.")
        .column(
            "rows_seen",
            "BIGINT NOT NULL DEFAULT 0",
            "Rows walked over in this sweep, in chunks that are done.")
        .column("rows_total", "BIGINT", "An estimate of the server; NULL: it has none.")
        .column("rows_per_second", "DOUBLE", "Rows walked over per second, lately.")
        .column(
            "left_over",
            "BIGINT NOT NULL DEFAULT 0",
            "Rows that this verification found unfilled or different.")
        .column(
            "sweep", "INT NOT NULL DEFAULT 1", "How many times the table is walked through by now.")
        .column("cursor_key", TEXT, "JSON list of text: keys up to this one were claimed.")
        .column("end_key", TEXT, "JSON list of text: the greatest key when the sweep began.")
        .column("chunks", "BIGINT NOT NULL DEFAULT 0", "How many chunks were claimed so far.")
        .column("batch_rows", "INT NOT NULL", "Rows of a batch, lately.")
        .column("rate_at", TIME + NOW, "When a chunk was last done.")
        .column("started_at", TIME + NOW)
        .column("updated_at", TIME + NOW)
        .column("finished_at", TIME)
        .key("PRIMARY KEY (migration, target_schema, step)")
        .create();
    new Table("backfill_chunk", "Chunks of keys that are claimed, or done and not counted yet.")
        .column("migration", ID + " NOT NULL")
        .column("target_schema", SCHEMA + " NOT NULL")
        .column("step", STEP + " NOT NULL")
        .column("chunk", "BIGINT NOT NULL")
        .column("from_key", TEXT, "JSON list of text: it is done up to this key.")
        .column("to_key", TEXT + " NOT NULL", "JSON list of text: it ends at this key.")
        .column("token", "VARCHAR(64)", "Every batch checks it; NULL: anybody may go on with it.")
        .column("worker", TEXT)
        .column("expires_at", TIME, "When others may take it over.")
        .column("done", "BOOLEAN NOT NULL DEFAULT FALSE")
        .column("rows_done", "BIGINT NOT NULL DEFAULT 0")
        .column("rows_seen", "BIGINT NOT NULL DEFAULT 0")
        .column("left_over", "BIGINT NOT NULL DEFAULT 0")
        .column("batch_rows", "INT NOT NULL")
        .column("claimed_at", TIME + NOW)
        .key("PRIMARY KEY (migration, target_schema, step, chunk)")
        .create();
  }

  private String name(String table) {
    return schema + "." + MysqlControlSql.PREFIX + table;
  }

  /** One table, put together column by column. */
  private final class Table {
    private final String name;
    private final String comment;
    private final List<String> parts = new ArrayList<>();

    Table(String name, String comment) {
      this.name = name;
      this.comment = comment;
    }

    Table column(String column, String type) {
      parts.add(column + " " + type);
      return this;
    }

    Table column(String column, String type, String meaning) {
      return column(column, type + " COMMENT " + Sql.literal(meaning));
    }

    Table key(String key) {
      parts.add(key);
      return this;
    }

    void create() {
      statements.add(
          "CREATE TABLE IF NOT EXISTS "
              + name(name)
              + " (\n  "
              + String.join(",\n  ", parts)
              // Two names that differ in case, an accent or a space at the end are two names.
              + "\n) ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE "
              + (mariadb ? "utf8mb4_nopad_bin" : "utf8mb4_0900_bin")
              + " COMMENT "
              + Sql.literal(comment));
    }
  }
}
