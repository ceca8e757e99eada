package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.WidenKey;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Whether a key can get a wider type beside itself. */
final class WidenKeyCheck {

  /** The type after, as the server prints it. */
  static final String WANTED = "newType";

  /** The primary key's name. */
  static final String KEY = "primaryKey";

  /** The identity as it is to be: with room for the new type. */
  static final String WIDE_IDENTITY = "wideIdentity";

  /** Sequences of the old type. */
  static final String SEQUENCES = "narrowSequences";

  private static final Map<String, List<String>> WIDER =
      Map.of("smallint", List.of("integer", "bigint"), "integer", List.of("bigint"));

  private static final Map<String, String> MOST =
      Map.of("smallint", "32767", "integer", "2147483647", "bigint", "9223372036854775807");

  private final WidenKey migration;
  private final Target target;
  private final Catalog catalog;

  WidenKeyCheck(WidenKey migration, Target target, Connection connection) throws SQLException {
    this.migration = migration;
    this.target = target;
    this.catalog = new Catalog(migration, target, connection);
  }

  /** The greatest value of a type; the smallest is one less than its opposite. */
  static String most(String type) {
    return MOST.getOrDefault(type, "0");
  }

  Map<String, Object> facts(int phase, String trigger) throws SQLException {
    Privileges.requireControlSchema(catalog);
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    String what = "column " + table.display() + "." + column.quoted();
    String wanted = migration.type();
    if (!WIDER.getOrDefault(column.type(), List.of()).contains(wanted)) {
      throw catalog.refuse(
          what + " is of type " + column.type() + ", which can't be widened to " + wanted,
          "int can become bigint, and smallint either. ChangeColumnType is for other columns.");
    }
    if (!migration.noUpserts()) {
      throw catalog.refuse(
          "from ENFORCE to CONTRACT "
              + what
              + " has a double with a unique index: an upsert (ON CONFLICT) by the key may then"
              + " fail, where two sessions insert the same key at once",
          "If no code does that, say so with .noUpserts().");
    }
    if (phase == WidenKey.EXPAND) {
      table.requireRoom(catalog);
      RowStars.refuse(catalog, table);
    }
    requireUnused(table, column, what);
    Map<String, Object> facts = capture(table, column);
    ColumnFacts found = new ColumnFacts(facts);
    requireKey(found, what);
    ColumnFactsRefusals refusals =
        new ColumnFactsRefusals(
            catalog, table, column, "Drop it first, and create it anew afterwards.");
    refusals.sequences(found);
    refusals.labels();
    RowTriggers.requireLast(catalog, table, trigger);
    table.requireBackfill(catalog);
    if (phase <= WidenKey.BACKFILL) {
      RowTriggers.requireConsent(catalog, table, 0, migration.policy().allowedTriggers());
    }
    facts.put(WANTED, wanted);
    facts.put("keys", keys(column, wanted));
    facts.put(KEY, found.indexes().get(0).name());
    sequences(facts, column.type(), wanted);
    return facts;
  }

  private static List<Object> keys(CatalogColumn column, String wanted) {
    Map<String, Object> key = new LinkedHashMap<>();
    key.put("name", column.quoted());
    key.put("type", wanted);
    return new ArrayList<>(List.of(key));
  }

  private void sequences(Map<String, Object> facts, String former, String wanted)
      throws SQLException {
    ColumnFacts found = new ColumnFacts(facts);
    ColumnFacts identity = found.identity();
    if (identity != null) {
      Map<String, Object> wide = new LinkedHashMap<>(identity.map());
      wide.put(
          "options",
          identity
              .text("options")
              .replace(" MAXVALUE " + most(former) + " ", " MAXVALUE " + most(wanted) + " "));
      facts.put(WIDE_IDENTITY, wide);
    }
    List<Object> narrow = new ArrayList<>();
    for (String sequence : found.ownedSequences()) {
      narrow.addAll(
          catalog.list(
              "SELECT 1 FROM pg_sequence WHERE seqrelid = to_regclass(?) AND seqtypid ="
                  + " CAST(? AS regtype)",
              row -> sequence,
              sequence,
              former));
    }
    facts.put(SEQUENCES, narrow);
  }

  private void requireUnused(CatalogTable table, CatalogColumn column, String what)
      throws SQLException {
    if (column.inherited()) {
      throw catalog.refuse(what + " is inherited", "Change the table it comes from.");
    }
    List<String> users = new ArrayList<>();
    catalog.dependents(table, column).forEach(each -> users.add(each.name()));
    users.addAll(
        catalog.list(StandInCheck.ROW_TYPES, row -> row.getString(1), table.oid(), table.oid()));
    if (!users.isEmpty()) {
      throw catalog.refuse(
          what + " is used by " + String.join(", ", users),
          "Drop it first, and create it anew afterwards.");
    }
    for (CatalogConstraint each : catalog.constraints(table, column)) {
      if (each.type().equals("f")) {
        throw catalog.refuse(
            what
                + (each.incoming() ? " is referenced by" : " has")
                + " foreign key "
                + Sql.quote(each.name())
                + " of table "
                + each.table(),
            "DropConstraint first, and AddForeignKey again after CONTRACT; an int column may"
                + " reference a bigint one.");
      }
      if (each.isCheck()) {
        throw catalog.refuse(
            what + " has check " + Sql.quote(each.name()),
            "DropConstraint first, and AddCheck again after CONTRACT.");
      }
    }
  }

  private void requireKey(ColumnFacts found, String what) {
    boolean key = false;
    for (ColumnFacts.Index index : found.indexes()) {
      ColumnFacts is = index.facts();
      boolean plain = plainTails().contains(index.tail(false));
      if (!is.flag("primary")) {
        throw catalog.refuse(
            what + " has another index, " + Sql.quote(index.name()),
            "DropIndex first, and CreateIndex again after CONTRACT.");
      }
      if (!plain || is.flag("deferrable") || is.flag("clustered") || is.flag("replident")) {
        throw catalog.refuse(
            "primary key "
                + Sql.quote(index.name())
                + " has more to it than the one column: it is \""
                + index.tail(false).strip()
                + "\", deferrable, clustered, or the replica identity",
            "Take that away first.");
      }
      key = true;
    }
    if (!key) {
      throw catalog.refuse(
          what + " is no primary key", "Use ChangeColumnType, which works under a new name.");
    }
  }

  /** The server quotes key words, and names that need it. */
  private List<String> plainTails() {
    String name = migration.column();
    String quoted = Sql.quote(name);
    String bare = name.matches("[a-z_][a-z0-9_]*") ? name : quoted;
    return List.of(" USING btree (" + bare + ")", " USING btree (" + quoted + ")");
  }

  private Map<String, Object> capture(CatalogTable table, CatalogColumn column)
      throws SQLException {
    Connection connection = catalog.connection();
    Savepoint before = connection.setSavepoint();
    try {
      ColumnFactsRows.execute(connection, "SET LOCAL search_path TO pg_catalog, pg_temp");
      return new ColumnFactsCapture(
              connection,
              catalog,
              table.oid(),
              column.number(),
              column.name(),
              PostgresWidenKey.shadow(migration, target))
          .capture();
    } finally {
      if (!connection.isClosed()) {
        connection.rollback(before);
      }
    }
  }
}
