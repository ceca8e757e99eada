package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.spi.NotYetException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.List;
import java.util.Map;

/** Indexes, keys and defaults that a second column can't have as well. */
final class ColumnFactsRefusals {

  private final Catalog catalog;
  private final CatalogTable table;
  private final CatalogColumn column;
  private final String otherwise;

  ColumnFactsRefusals(Catalog catalog, CatalogTable table, CatalogColumn column, String otherwise) {
    this.otherwise = otherwise;
    this.catalog = catalog;
    this.table = table;
    this.column = column;
  }

  private String display() {
    return "column " + table.display() + "." + Sql.quote(column.name());
  }

  /** Foreign keys that point to the column. */
  void referenced() throws SQLException {
    List<String> pointing =
        catalog.list(
            "SELECT format('%I of %s', k.conname, k.conrelid::regclass) FROM pg_constraint k"
                + " WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ?::bigint::oid"
                + " AND ?::int2 = ANY (k.confkey) ORDER BY 1",
            row -> row.getString(1), table.oid(), column.number());
    if (!pointing.isEmpty()) {
      throw catalog.refuse(
          display() + " is referenced by foreign key " + String.join(", ", pointing), otherwise);
    }
  }

  /** A check calls a composite value with a null in it null, and NOT NULL doesn't. */
  void notNull(ColumnFacts facts) {
    if (facts.flag("composite") && facts.notNull() && facts.notNullConstraint() == null) {
      throw refuse(
          "is NOT NULL and of the composite type "
              + facts.type()
              + ", for which no check can prove that without blocking writes");
    }
  }

  /** Labels decide who may see the column. */
  void labels() throws SQLException {
    List<String> labels =
        catalog.list(
            "SELECT provider || ' \"' || label || '\"' FROM pg_seclabel WHERE classoid ="
                + " 'pg_class'::regclass AND objoid = ?::bigint::oid AND objsubid = ? ORDER BY 1",
            row -> row.getString(1),
            table.oid(),
            column.number());
    if (!labels.isEmpty()) {
      throw catalog.refuse(
          display() + " has security labels, which a second column would lack: " + labels,
          "SECURITY LABEL ... ON COLUMN ... IS NULL; and label the new column before code uses it.");
    }
  }

  /** Indexes whose double would get in the way of the first, or of replication. */
  void indexes(ColumnFacts facts) throws SQLException {
    if (!facts.indexes().isEmpty()) {
      Privileges.requireCreate(catalog, "indexes", table.schema());
    }
    for (ColumnFacts.Index index : facts.indexes()) {
      ColumnFacts is = index.facts();
      String name = "index " + Sql.quote(index.name());
      if (is.flag("primary")) {
        throw refuse("belongs to the primary key " + Sql.quote(index.name()));
      }
      if (is.flag("exclusion")) {
        throw refuse("belongs to the exclusion constraint " + Sql.quote(index.name()));
      }
      if (!is.flag("whole")) {
        awaitBuild(name);
        throw catalog.refuse(
            name + " of " + display() + " is INVALID",
            "DROP INDEX CONCURRENTLY "
                + Sql.qualified(table.schema(), index.name())
                + "; or REINDEX it.");
      }
      if (is.flag("replident")) {
        throw refuse("belongs to the replica identity " + name);
      }
      if (is.flag("clustered")) {
        throw catalog.refuse(
            display() + " belongs to " + name + ", on which the table is clustered",
            "ALTER TABLE "
                + table.qualified()
                + " SET WITHOUT CLUSTER; and mark the index again afterwards.");
      }
      if (index.unique()) {
        unique(name, is);
      }
    }
  }

  /**
   * An index that is being built looks like the wreck of one. Of other roles' builds the server may
   * show no more than the lock.
   */
  private void awaitBuild(String name) throws SQLException {
    List<String> builders =
        catalog.list(
            "SELECT p.pid::text FROM pg_stat_progress_create_index p WHERE p.relid ="
                + " ?::bigint::oid OR (p.relid IS NULL AND EXISTS (SELECT FROM pg_locks l WHERE"
                + " l.pid = p.pid AND l.locktype = 'relation' AND l.relation = ?::bigint::oid AND"
                + " l.mode = 'ShareUpdateExclusiveLock' AND l.granted)) ORDER BY 1",
            row -> row.getString(1),
            table.oid(),
            table.oid());
    if (!builders.isEmpty()) {
      throw new NotYetException(
          name + " of " + display() + " is being built, by session " + String.join(", ", builders));
    }
  }

  private void unique(String name, ColumnFacts is) {
    if (is.flag("partial")) {
      throw refuse("belongs to the unique partial " + name);
    }
    if (is.flag("expression")) {
      throw refuse("belongs to the unique " + name + " over an expression");
    }
    if (!is.flag("key")) {
      throw refuse("is carried along (INCLUDE) in the unique " + name);
    }
    if (is.flag("deferrable")) {
      throw refuse("belongs to the deferrable unique constraint of " + name);
    }
  }

  private RefusedException refuse(String problem) {
    return catalog.refuse(display() + " " + problem, otherwise);
  }

  /** A foreign key needs a privilege on its other end. */
  void foreignKeys(ColumnFacts facts) throws SQLException {
    for (ColumnFacts.Constraint key : facts.foreignKeys()) {
      if (!key.facts().flag("mayReference")) {
        throw catalog.forbid(
            "user \""
                + catalog.user()
                + "\" may not create foreign keys to "
                + key.parent()
                + ", as foreign key "
                + Sql.quote(key.name())
                + " of the new column needs",
            "GRANT REFERENCES ON " + key.parent() + " TO " + Sql.quote(catalog.user()) + ";");
      }
    }
  }

  /**
   * A sequence and the table whose column owns it must have one owner; identity sequences do. These
   * are made anew, so that nothing else may hold on to them.
   */
  void sequences(ColumnFacts facts) throws SQLException {
    ColumnFacts identity = facts.identity();
    if (identity != null) {
      Privileges.requireCreate(catalog, "sequences", identity.text("schema"));
      List<String> users =
          catalog.list(
              "SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d WHERE"
                  + " d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(?) ORDER BY"
                  + " 1",
              row -> row.getString(1),
              identity.text("name"));
      if (!users.isEmpty()) {
        throw catalog.refuse(
            "sequence "
                + identity.text("name")
                + " of the identity of "
                + display()
                + " is also used by "
                + String.join(", ", users),
            "Give it a sequence of its own: the identity's is replaced when it moves to the new"
                + " column.");
      }
    }
    for (String sequence : facts.ownedSequences()) {
      List<Boolean> same =
          catalog.list(
              "SELECT s.relowner = t.relowner FROM pg_class s, pg_class t WHERE s.oid ="
                  + " to_regclass(?) AND t.oid = ?::bigint::oid",
              row -> row.getBoolean(1),
              sequence,
              table.oid());
      if (!same.equals(List.of(true))) {
        throw catalog.refuse(
            "sequence " + sequence + " of " + display() + " has another owner than the table",
            "ALTER SEQUENCE " + sequence + " OWNER TO " + Sql.quote(table.owner()) + ";");
      }
    }
  }

  /**
   * Both columns get the default for as long as code writes both: that must be one value. Whether a
   * default is volatile is PostgreSQL's own judgement: only for others does a new column note the
   * value that old rows have.
   */
  void volatileDefault(ColumnTwin twin, ColumnFacts facts) throws SQLException {
    String value = facts.identity() != null ? "its identity" : facts.defaultSql();
    if (value == null || (facts.identity() == null && !isVolatile(twin, facts, value))) {
      return;
    }
    throw catalog.refuse(
        display() + " has a default that differs from call to call: " + value,
        "Use RenameColumn: its trigger copies the one value to both columns.");
  }

  private boolean isVolatile(ColumnTwin twin, ColumnFacts facts, String value) throws SQLException {
    Privileges.requireTemporary(catalog);
    Connection connection = catalog.drivers();
    Savepoint before = connection.setSavepoint();
    try {
      String probe = Sql.qualified("pg_temp", "zdo_shadow");
      ColumnFactsRows.execute(connection, "CREATE TEMPORARY TABLE zdo_shadow ()");
      ColumnFactsRows.execute(
          connection,
          "ALTER TABLE "
              + probe
              + " ADD COLUMN "
              + twin.to()
              + " "
              + facts.type()
              + " DEFAULT "
              + value);
      List<Map<String, Object>> rows =
          ColumnFactsRows.query(
              connection,
              "SELECT atthasmissing AS missing FROM pg_catalog.pg_attribute WHERE attrelid ="
                  + " pg_catalog.to_regclass(?) AND attnum > 0",
              probe);
      return !ColumnFactsRows.flag(rows.get(0), "missing");
    } finally {
      if (!connection.isClosed()) {
        connection.rollback(before);
      }
    }
  }
}
