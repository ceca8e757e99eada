package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.CreateTable;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whether a table can be created: tried as a temporary one, which locks nothing that is in use. */
final class CreateTableCheck {

  /** Whether the tombstone of an earlier way back is there, to be renamed back. */
  static final String TOMBSTONE = "tombstone";

  /** Columns and constraints, a line each; without what differs between a table and its trial. */
  private static final String SHAPE =
      "SELECT format('%s %s%s%s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN"
          + " a.attnotnull THEN ' NOT NULL' END, ' DEFAULT ' || regexp_replace(pg_get_expr(d.adbin,"
          + " d.adrelid), 'nextval\\(''.*''::regclass\\)', 'nextval'), ' IDENTITY ' ||"
          + " nullif(a.attidentity::text, ''), ' GENERATED ' || nullif(a.attgenerated::text, ''),"
          + " ' COLLATION ' || nullif(a.attcollation, 0)) AS line FROM pg_attribute a LEFT JOIN"
          + " pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid ="
          + " to_regclass(v) AND a.attnum > 0 AND NOT a.attisdropped UNION ALL SELECT CASE"
          + " k.contype WHEN 'f' THEN format('f %s %s %s %s%s', k.conkey, CASE WHEN f.oid <> k.conrelid THEN f.relname END, k.confkey,"
          + " k.confdeltype, k.confupdtype) ELSE pg_get_constraintdef(k.oid) END FROM pg_constraint"
          + " k LEFT JOIN pg_class f ON f.oid = k.confrelid WHERE k.conrelid = to_regclass(v) AND"
          + " k.contype IN ('c', 'p', 'u', 'x', 'f') ORDER BY 1";

  private static final String TYPES =
      "SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = ?"
          + " AND t.typname = ? AND t.typrelid = 0 AND t.typcategory <> 'A'";

  private static final String INDEXES =
      "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid ="
          + " to_regclass(?)";

  private static final String REMEDY =
      "Correct the declaration: foreign keys go into foreignKey(...), everything else into its"
          + " column or into constraint(...).";

  private final CreateTable migration;
  private final Target target;
  private final Catalog catalog;

  CreateTableCheck(CreateTable migration, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.target = target;
    this.catalog = new Catalog(migration, target, connection);
  }

  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(migration.id(), "table", migration.table());
    for (CreateTable.Column column : migration.tableColumns()) {
      Sql.requireFits(migration.id(), "column", column.name());
    }
    requireSchema();
    Privileges.requireCreate(catalog, "tables", target.schema());
    Privileges.requireTemporary(catalog);
    catalog.requireFree("table", migration.table());
    requireNoType();
    for (CreateTable.ForeignKey key : migration.foreignKeys()) {
      if (!key.table().equals(migration.table())) {
        requireReferable(key.table());
      }
    }
    List<String> shape = tryOut();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(TOMBSTONE, restores(shape));
    return facts;
  }

  private void requireSchema() throws SQLException {
    if (catalog
        .list("SELECT 1 FROM pg_namespace WHERE nspname = ?", row -> true, target.schema())
        .isEmpty()) {
      throw catalog.refuse(
          "there is no schema \"" + target.schema() + "\"",
          "CREATE SCHEMA " + Sql.quote(target.schema()) + "; or correct its name.");
    }
  }

  /** A table's row type has the table's name. */
  private void requireNoType() throws SQLException {
    if (!catalog.list(TYPES, row -> true, target.schema(), migration.table()).isEmpty()) {
      throw catalog.refuse(
          "the name \""
              + migration.table()
              + "\" for the table is taken: in schema \""
              + target.schema()
              + "\" it is a type",
          "Choose another name, or drop what has it.");
    }
  }

  private record Partner(String kind, boolean mayReference) {}

  private void requireReferable(String name) throws SQLException {
    String qualified = Sql.qualified(target.schema(), name);
    List<Partner> found =
        catalog.list(
            "SELECT c.relkind, has_table_privilege(c.oid, 'REFERENCES') FROM pg_class c WHERE"
                + " c.oid = to_regclass(?)",
            row -> new Partner(String.valueOf(row.getString(1)), row.getBoolean(2)),
            qualified);
    if (found.isEmpty() || !Set.of("r", "p").contains(found.get(0).kind())) {
      throw catalog.refuse(
          "a foreign key points to " + qualified + ", which is no table",
          "Create it first, and name that migration in .after(...); or correct the name.");
    }
    Partner partner = found.get(0);
    if (partner.kind().equals("p")) {
      throw catalog.refuse(
          "a foreign key points to "
              + qualified
              + ", a partitioned table: that would block writes"
              + " to every partition at once",
          "Create the table without it.");
    }
    if (!partner.mayReference()) {
      throw catalog.forbid(
          "user \"" + catalog.user() + "\" may not reference table " + qualified,
          "GRANT REFERENCES ON " + qualified + " TO " + Sql.quote(catalog.user()) + ";");
    }
  }

  private List<String> tryOut() throws SQLException {
    Connection connection = catalog.drivers();
    Savepoint before = connection.setSavepoint();
    String trial = Sql.qualified("pg_temp", migration.table());
    try (Statement statement = connection.createStatement()) {
      for (String partner :
          migration.foreignKeys().stream()
              .map(CreateTable.ForeignKey::table)
              .filter(each -> !each.equals(migration.table()))
              .distinct()
              .toList()) {
        // Only a temporary table may have a temporary one point to it.
        statement.execute(
            "CREATE TEMPORARY TABLE "
                + Sql.quote(partner)
                + " (LIKE "
                + Sql.qualified(target.schema(), partner)
                + " INCLUDING INDEXES)");
      }
      try {
        statement.execute(
            "CREATE TEMPORARY TABLE "
                + Sql.quote(migration.table())
                + " ("
                + PostgresCreateTable.body(migration, "pg_temp")
                + ")");
      } catch (SQLException e) {
        if (PostgresErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
          throw e;
        }
        throw catalog.refuse(
            "table \""
                + migration.table()
                + "\" can't be created: the server says \""
                + Catalog.said(e)
                + "\"",
            REMEDY);
      }
      if (!quarantined()) {
        requireFreeIndexes(trial);
      }
      return shape(trial);
    } finally {
      if (!connection.isClosed()) {
        connection.rollback(before);
      }
    }
  }

  /** Where the author doesn't name it the server finds a name that is free. */
  private void requireFreeIndexes(String trial) throws SQLException {
    for (String index : catalog.list(INDEXES, row -> row.getString(1), trial)) {
      for (String constraint : migration.constraints()) {
        if (Dependent.word(index).matcher(constraint).find()) {
          catalog.requireFree("constraint", index);
        }
      }
    }
  }

  private List<String> shape(String table) throws SQLException {
    return catalog.list(
        SHAPE.replace("(v)", "(" + Sql.literal(table) + ")"), row -> row.getString(1));
  }

  private boolean quarantined() throws SQLException {
    String tombstone = PostgresCreateTable.tombstone(migration, target);
    return !catalog
        .list(
            "SELECT 1 WHERE to_regclass(?) IS NOT NULL",
            row -> true,
            Sql.qualified(target.schema(), tombstone))
        .isEmpty();
  }

  /** Whether there is a tombstone to bring back; another table than is declared is not brought. */
  private boolean restores(List<String> declared) throws SQLException {
    if (!quarantined()) {
      return false;
    }
    CatalogTable table = catalog.table(PostgresCreateTable.tombstone(migration, target));
    List<String> there = shape(table.qualified());
    if (!there.equals(declared)) {
      throw catalog.refuse(
          "an earlier way back has left table "
              + table.display()
              + ", which differs from what is declared now: it has "
              + there
              + ", declared is "
              + declared,
          "Keep its rows if you need them, then drop or rename it.");
    }
    return true;
  }
}
