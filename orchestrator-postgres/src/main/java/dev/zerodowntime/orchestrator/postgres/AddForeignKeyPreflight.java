package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.AddForeignKey;
import dev.zerodowntime.orchestrator.operation.AddForeignKey.Action;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Whether a foreign key can be added. */
final class AddForeignKeyPreflight {

  /** Which rows refer to nothing, as a predicate with the server's own operators. */
  static final String ORPHAN = "orphan";

  /** Whether somebody has added it by hand: then the way back leaves it. */
  static final String THERE = "there";

  /** Whether that one is valid, too. */
  static final String VALID = "valid";

  /** Partitions of the referenced table, quoted and qualified; missing where it has none. */
  static final String REFERENCED = "referencedPartitions";

  /** Whether each partition must get a foreign key of its own before the whole can. */
  static final String PER_PARTITION = "perPartition";

  private static final int ON_THE_WHOLE_SINCE = 18;

  private static final String TRIAL_KEY = "zdo_trial_key";

  /** Two tables of two schemas may have the same name. */
  private static final String OTHER = "zdo_trial_other";

  /** Parameters: the table's oid, the name, the referenced table's oid. */
  private static final String WHICH =
      " WHERE k.contype = 'f' AND k.conrelid = ?::bigint::oid AND k.conname = ? AND k.confrelid ="
          + " ?::bigint::oid";

  private static final String SHAPE =
      "SELECT concat_ws(' ', ARRAY(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY u(number,"
          + " place) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER"
          + " BY u.place)::text, ARRAY(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY"
          + " u(number, place) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum ="
          + " u.number ORDER BY u.place)::text, k.confupdtype, k.confdeltype, k.confmatchtype,"
          + " k.condeferrable, k.condeferred, to_jsonb(k) ->> 'confdelsetcols', to_jsonb(k) ->>"
          + " 'conenforced') FROM pg_constraint k"
          + WHICH;

  private static final String PAIRS =
      "SELECT format('zdo_ref.%I%s OPERATOR(%I.%s) ', p.attname, (SELECT format(' COLLATE %I.%I',"
          + " cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid ="
          + " co.collnamespace WHERE co.oid = p.attcollation AND p.attcollation <>"
          + " f.attcollation), n.nspname, o.oprname), f.attname FROM pg_constraint k CROSS JOIN"
          + " LATERAL unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY u(own, other,"
          + " operator, place) JOIN pg_attribute f ON f.attrelid = k.conrelid AND f.attnum = u.own"
          + " JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = u.other JOIN"
          + " pg_operator o ON o.oid = u.operator JOIN pg_namespace n ON n.oid = o.oprnamespace"
          + WHICH
          + " ORDER BY u.place";

  private final AddForeignKey migration;
  private final Catalog catalog;

  AddForeignKeyPreflight(AddForeignKey migration, Target target, Connection connection)
      throws SQLException {
    this.migration = migration;
    this.catalog = new Catalog(migration, target, connection);
  }

  Map<String, Object> facts() throws SQLException {
    Sql.requireFits(migration.id(), "constraint", migration.name());
    CatalogTable table = catalog.tableOrPartitioned(migration.table());
    CatalogTable referenced = referenced();
    requireColumns(table);
    for (String column : migration.referencedColumns()) {
      catalog.column(referenced, column);
    }
    requireLasting(table, referenced);
    requireUnique(referenced);
    Map<String, Object> facts = new LinkedHashMap<>();
    String shape = tryOut(table, referenced, facts);
    NamedConstraint there = NamedConstraint.read(catalog, table, migration.name()).orElse(null);
    if (there != null && !shape(table.oid(), referenced.oid()).equals(shape)) {
      throw catalog.refuse(
          "table "
              + table.display()
              + " has another constraint \""
              + there.name()
              + "\": "
              + there.definition(),
          "Choose another name, or declare the same foreign key.");
    }
    facts.put(THERE, there != null);
    facts.put(VALID, there != null && there.validated());
    requireIndex(table, referenced);
    table.requireAllRows(catalog, "the search for rows that refer to nothing");
    referenced.requireAllRows(catalog, "the search for rows that are referred to");
    for (CatalogTable leaf : Partitions.capture(catalog, table, facts)) {
      leaf.requireAllRows(catalog, "the search for rows that refer to nothing");
    }
    if (table.partitioned()) {
      facts.put(
          PER_PARTITION,
          catalog.connection().getMetaData().getDatabaseMajorVersion() < ON_THE_WHOLE_SINCE);
      if (there == null) {
        requireNoneOfPartitions(table, referenced);
      }
    }
    if (referenced.partitioned()) {
      facts.put(
          REFERENCED,
          CatalogPartition.read(catalog, referenced).stream()
              .map(CatalogPartition::qualified)
              .toList());
    }
    facts.put(AddColumnCheck.KEY, Facts.key(catalog.key(table, "the search for such rows")));
    if (there == null) {
      EmptyTable.note(catalog, table, facts);
    }
    return facts;
  }

  /** In another schema it is often another's: then we may at least refer to it and read it. */
  private CatalogTable referenced() throws SQLException {
    String schema = migration.referencedSchema().orElse(catalog.target().schema());
    if (schema.equals(catalog.target().schema())) {
      return catalog.tableOrPartitioned(migration.referencedTable());
    }
    CatalogTable table = CatalogTable.read(catalog, schema, migration.referencedTable(), true);
    List<String> lacking =
        catalog.list(
            "SELECT p FROM unnest(ARRAY['SELECT', 'REFERENCES']) p WHERE NOT"
                + " has_table_privilege(?::bigint::oid, p) UNION ALL SELECT 'USAGE' WHERE NOT"
                + " has_schema_privilege(?, 'USAGE')",
            row -> row.getString(1),
            table.oid(),
            schema);
    if (!lacking.isEmpty()) {
      String user = Sql.quote(catalog.user());
      throw catalog.forbid(
          "user \""
              + catalog.user()
              + "\" may not refer to table "
              + table.display()
              + " and read it: it lacks "
              + lacking,
          "GRANT USAGE ON SCHEMA "
              + Sql.quote(schema)
              + " TO "
              + user
              + "; GRANT SELECT, REFERENCES ON "
              + table.qualified()
              + " TO "
              + user
              + ";");
    }
    return table;
  }

  /** The server might take a partition's own for its part, and the way back would take it away. */
  private void requireNoneOfPartitions(CatalogTable table, CatalogTable referenced)
      throws SQLException {
    for (CatalogPartition each : CatalogPartition.read(catalog, table)) {
      List<String> own =
          catalog.list(
              "SELECT k.conname FROM pg_constraint k WHERE k.conrelid = ?::bigint::oid AND"
                  + " (k.conname = ? OR k.contype = 'f' AND k.confrelid = ?::bigint::oid AND"
                  + " k.conparentid = 0 AND ARRAY(SELECT a.attname::text FROM unnest(k.conkey) u"
                  + " JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u ORDER BY 1) ="
                  + " ARRAY(SELECT n FROM unnest(string_to_array(?, chr(1))) n ORDER BY 1)) ORDER"
                  + " BY 1",
              row -> row.getString(1),
              each.oid(),
              migration.name(),
              referenced.oid(),
              String.join("\u0001", migration.key()));
      if (!own.isEmpty()) {
        throw catalog.refuse(
            "partition "
                + each.qualified()
                + " of "
                + table.display()
                + " has a constraint of its own, "
                + Sql.quote(own.get(0))
                + ", with this name or to the same effect",
            "Choose another name, or drop that one.");
      }
    }
  }

  private void requireColumns(CatalogTable table) throws SQLException {
    for (String name : migration.key()) {
      CatalogColumn column = catalog.column(table, name);
      String what = "column \"" + name + "\" of table " + table.display();
      if (column.generated()) {
        throw catalog.refuse(
            what + " is generated", "Only columns that are written can refer to another table.");
      }
      if (column.notNull()
          && (migration.onDelete() == Action.SET_NULL || migration.onUpdate() == Action.SET_NULL)) {
        throw catalog.refuse(
            what + " is NOT NULL, so SET NULL would always fail",
            "Choose another action, or make it nullable first with DropNotNull.");
      }
    }
  }

  /** What a crash of the server empties can't be referred to by what it doesn't. */
  private void requireLasting(CatalogTable table, CatalogTable referenced) throws SQLException {
    String both =
        catalog
            .list(
                "SELECT (SELECT relpersistence FROM pg_class WHERE oid = ?::bigint::oid)::text ||"
                    + " (SELECT relpersistence FROM pg_class WHERE oid = ?::bigint::oid)::text",
                row -> row.getString(1),
                table.oid(),
                referenced.oid())
            .get(0);
    if (both.equals("pu")) {
      throw catalog.refuse(
          "table "
              + referenced.display()
              + " is unlogged, and table "
              + table.display()
              + " is not: after a crash of the server nothing would be left to refer to",
          "ALTER TABLE " + referenced.qualified() + " SET LOGGED;");
    }
  }

  private void requireUnique(CatalogTable referenced) throws SQLException {
    Set<String> wanted = Set.copyOf(migration.referencedColumns());
    for (CatalogIndex index : catalog.indexes(referenced)) {
      if (index.unique()
          && index.valid()
          && index.immediate()
          && index.predicate() == null
          && !index.expressions()
          && index.keyColumns().size() == wanted.size()
          && Set.copyOf(index.keyColumns()).equals(wanted)) {
        return;
      }
    }
    throw catalog.refuse(
        "columns "
            + migration.referencedColumns()
            + " of table "
            + referenced.display()
            + " are not unique together",
        "Refer to a primary key, or to the columns of a unique index that is valid, neither"
            + " partial nor deferrable nor over expressions.");
  }

  /**
   * Without one, whoever deletes a row of the other table or changes its key reads all of this one,
   * while others wait for that row: the foreign key would take a fast statement's speed.
   */
  private void requireIndex(CatalogTable table, CatalogTable referenced) throws SQLException {
    Set<String> wanted = Set.copyOf(migration.key());
    if (migration.withoutIndex()) {
      return;
    }
    for (CatalogIndex index : catalog.indexes(table)) {
      if (index.valid()
          && index.predicate() == null
          && index.keyColumns().size() >= wanted.size()
          && Set.copyOf(index.keyColumns().subList(0, wanted.size())).equals(wanted)) {
        return;
      }
    }
    throw catalog.refuse(
        "no index of table "
            + table.display()
            + " begins with "
            + migration.key()
            + ": each DELETE from "
            + referenced.display()
            + ", and each change of its key, would read the whole table",
        "Declare a CreateIndex before this migration; or say .withoutIndex() if nobody deletes"
            + " there.");
  }

  /**
   * Has the server judge types and actions, on empty copies of both tables.
   *
   * @return what the foreign key would be like
   */
  private String tryOut(CatalogTable table, CatalogTable referenced, Map<String, Object> facts)
      throws SQLException {
    try (Trial trial = new Trial(catalog, table, 0)) {
      if (table.oid() == referenced.oid()) {
        return tryOut(trial, trial, table, referenced, facts);
      }
      try (Trial other =
          new Trial(catalog, referenced, 0, table.name().equals(OTHER) ? TRIAL_KEY : OTHER)) {
        return tryOut(trial, other, table, referenced, facts);
      }
    }
  }

  private String tryOut(
      Trial trial,
      Trial other,
      CatalogTable table,
      CatalogTable referenced,
      Map<String, Object> facts)
      throws SQLException {
    other.execute(
        "CREATE UNIQUE INDEX "
            + TRIAL_KEY
            + " ON "
            + other.name()
            + " ("
            + PostgresAddForeignKey.names(migration.referencedColumns())
            + ")");
    trial.require(
        "ALTER TABLE "
            + trial.name()
            + " ADD CONSTRAINT "
            + Sql.quote(migration.name())
            + " "
            + PostgresAddForeignKey.definition(migration, other.name()),
        "columns "
            + typed(table, migration.key())
            + " of table "
            + table.display()
            + " can't refer to columns "
            + typed(referenced, migration.referencedColumns())
            + " of table "
            + referenced.display(),
        "Columns that refer to each other need types that can be compared: change one first.");
    long own = Long.parseLong(trial.text("SELECT " + Sql.regclass(trial.name()) + "::oid"));
    long theirs = Long.parseLong(trial.text("SELECT " + Sql.regclass(other.name()) + "::oid"));
    List<String> pairs =
        catalog.list(
            PAIRS,
            row -> row.getString(1) + table.qualified() + "." + Sql.quote(row.getString(2)),
            own,
            migration.name(),
            theirs);
    facts.put(
        ORPHAN,
        migration.key().stream()
                .map(each -> table.qualified() + "." + Sql.quote(each) + " IS NOT NULL AND ")
                .collect(Collectors.joining())
            + "NOT EXISTS (SELECT 1 FROM "
            + referenced.qualified()
            + " AS zdo_ref WHERE "
            + String.join(" AND ", pairs)
            + ")");
    return shape(own, theirs);
  }

  private List<String> typed(CatalogTable table, List<String> names) throws SQLException {
    List<String> columns = new ArrayList<>();
    for (String name : names) {
      columns.add(name + " " + catalog.column(table, name).type());
    }
    return columns;
  }

  /** What a foreign key is like; empty where there is none between the two tables. */
  private String shape(long table, long referenced) throws SQLException {
    return catalog
        .list(SHAPE, row -> row.getString(1), table, migration.name(), referenced)
        .stream()
        .findFirst()
        .orElse("");
  }
}
