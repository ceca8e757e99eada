package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Step;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The moment when the old column steps back and the new one takes over its default. */
final class ColumnTwinContract {

  private final ColumnTwin twin;
  private final ColumnFacts facts;

  ColumnTwinContract(ColumnTwin twin) {
    this.twin = twin;
    this.facts = twin.facts();
  }

  static String alter(ColumnTwin twin, String column) {
    return "ALTER TABLE " + twin.table() + " ALTER COLUMN " + column + " ";
  }

  // ---- trigger form

  /** All at once: code of either kind finds what it needs at every moment. */
  Step contract(ColumnTwinSync sync) {
    List<String> sql = new ArrayList<>();
    sql.add(sync.oneWay());
    sql.add(rename(twin.from(), twin.tombstone()));
    sql.addAll(moveDefault(twin.tombstone(), twin.to()));
    if (facts.notNull()) {
      sql.add(alter(twin, twin.tombstone()) + "DROP NOT NULL");
    }
    sql.add(sync.always());
    return twin.rowType(
        "quarantine",
        "the default moves to the new column, the old one is relaxed and renamed, and values are"
            + " carried to it from now on",
        twin.column(twin.tombstone()),
        sql);
  }

  /** What a way back that was turned round may have added again. */
  Step relaxTombstone() {
    return twin.ddl(
        "relax-tombstone",
        "the old column rejects nothing",
        "ACCESS EXCLUSIVE",
        twin.column(twin.tombstone(), "NOT a.attnotnull")
            + " AND NOT "
            + twin.constraint(twin.notNullCheck(), "true"),
        alter(twin, twin.tombstone()) + "DROP NOT NULL",
        "ALTER TABLE "
            + twin.table()
            + " DROP CONSTRAINT IF EXISTS "
            + Sql.quote(twin.notNullCheck()));
  }

  /** All of it back. */
  Step restore(ColumnTwinSync sync) {
    List<String> sql = new ArrayList<>();
    sql.add(sync.twoWay());
    sql.add(rename(twin.tombstone(), twin.from()));
    sql.addAll(moveDefault(twin.to(), twin.from()));
    if (facts.sentinel() != null) {
      sql.add(alter(twin, twin.to()) + sync.notGiven());
    }
    sql.add(sync.always());
    return twin.rowType(
        "restore",
        "the old column has its name and default again, and values are carried both ways",
        twin.column(twin.from()),
        sql);
  }

  /** Both sides are always set: no sentinel outlives this, whatever became of the default. */
  private List<String> moveDefault(String source, String destination) {
    return moveDefault(facts.identity(), source, destination);
  }

  /** The same with other properties of the identity. */
  List<String> moveDefault(@Nullable ColumnFacts identity, String source, String destination) {
    List<String> sql = new ArrayList<>();
    if (identity != null) {
      sql.add(alter(twin, destination) + facts.defaults().none());
      sql.addAll(moveIdentity(identity, source, destination));
    } else {
      sql.add(alter(twin, source) + defaults(source).none());
      sql.add(alter(twin, destination) + defaults(destination).real());
    }
    sql.addAll(moveSequences(destination));
    return sql;
  }

  private Defaults defaults(String column) {
    return column.equals(twin.to()) ? facts.newDefaults() : facts.defaults();
  }

  private List<String> moveSequences(String destination) {
    return facts.ownedSequences().stream()
        .map(each -> "ALTER SEQUENCE " + each + " OWNED BY " + twin.table() + "." + destination)
        .toList();
  }

  /**
   * An identity's sequence goes with it, so the new one is made to go on where the old one stood.
   * The first statement changes nothing, but keeps others from drawing a number until all is done:
   * nobody gets one twice.
   */
  private List<String> moveIdentity(ColumnFacts identity, String source, String destination) {
    String sequence = identity.text("name");
    String position = "pg_catalog.split_part(pg_catalog.current_setting('zdo.identity'), ',', ";
    List<String> sql = new ArrayList<>();
    sql.add("ALTER SEQUENCE " + sequence + " CACHE " + identity.number("cache"));
    sql.add(
        "SELECT pg_catalog.set_config('zdo.identity', (SELECT last_value || ',' || is_called FROM "
            + sequence
            + "), true)");
    sql.add(alter(twin, source) + "DROP IDENTITY");
    sql.add(
        alter(twin, destination)
            + "ADD GENERATED "
            + identity.text("generated")
            + " AS IDENTITY (SEQUENCE NAME "
            + sequence
            + " "
            + identity.text("options")
            + ")");
    sql.add(
        "SELECT pg_catalog.setval("
            + Sql.literal(sequence)
            + "::regclass, CAST("
            + position
            + "1) AS bigint), CAST("
            + position
            + "2) AS boolean))");
    for (ColumnFacts grant : identity.list("grants")) {
      sql.add(
          "GRANT "
              + grant.text("privilege")
              + " ON SEQUENCE "
              + sequence
              + " TO "
              + grant.text("grantee")
              + (grant.flag("grantable") ? " WITH GRANT OPTION" : ""));
    }
    String comment = identity.optional("comment");
    if (comment != null) {
      sql.add("COMMENT ON SEQUENCE " + sequence + " IS " + Sql.literal(comment));
    }
    return sql;
  }

  // ---- where the application writes both columns

  /** The new column, with the same default, and a mark that it is this migration's own. */
  Step addColumn() {
    List<String> sql = new ArrayList<>(ColumnTwinSync.addColumn(twin));
    sql.add(
        "CREATE OR REPLACE FUNCTION "
            + twin.function()
            + "() RETURNS pg_catalog.text LANGUAGE sql IMMUTABLE RETURN "
            + Sql.literal(
                "column " + twin.to() + " of " + twin.table() + " belongs to a migration"));
    if (facts.defaultSql() != null || facts.defaults().ofDomain()) {
      // On its own: existing rows stay NULL, and are not written.
      sql.add(alter(twin, twin.to()) + facts.defaults().real());
    }
    return twin.rowType("add-column", "the new column, nullable", twin.column(twin.to()), sql);
  }

  /** Rows may omit the old column; from then on it may differ. */
  Step relax() {
    List<String> sql = new ArrayList<>();
    sql.add(
        "ALTER TABLE "
            + twin.table()
            + " ALTER COLUMN "
            + twin.from()
            + " DROP NOT NULL, ALTER COLUMN "
            + twin.from()
            + " "
            + facts.defaults().none());
    sql.add(alter(twin, twin.to()) + facts.defaults().real());
    sql.addAll(moveSequences(twin.to()));
    sql.add(mark("'relaxed'"));
    return twin.ddl(
        "relax",
        "the old column accepts omission",
        "ACCESS EXCLUSIVE",
        relaxed()
            + " AND "
            + twin.column(twin.from(), "NOT a.attnotnull AND " + facts.defaults().isNone()),
        sql);
  }

  /** The columns are equal again, and must be so from now on. */
  Step unrelax() {
    List<String> sql = new ArrayList<>(moveSequences(twin.from()));
    sql.add(mark("NULL"));
    return twin.ddl(
        "not-relaxed", "the old column counts again", "ACCESS EXCLUSIVE", "NOT " + relaxed(), sql);
  }

  /** Rows that code wrote without the old column are no reason to stop a second attempt. */
  String differUnlessRelaxed() {
    return ColumnTwin.differ(twin.from(), twin.to()) + " AND NOT (SELECT " + relaxed() + ")";
  }

  private String relaxed() {
    return "coalesce(pg_catalog.obj_description(pg_catalog.to_regprocedure("
        + Sql.literal(twin.function() + "()")
        + "), 'pg_proc') = 'relaxed', false)";
  }

  private String mark(String comment) {
    return "COMMENT ON FUNCTION " + twin.function() + "() IS " + comment;
  }

  /**
   * The old column's default, first of all: from then on rows that omit both get the same again.
   */
  @Nullable Step restoreDefault() {
    return facts.defaultSql() == null
        ? null
        : twin.ddl(
            "default",
            "the old column has its default again",
            "ACCESS EXCLUSIVE",
            twin.column(twin.from(), facts.defaults().isReal()),
            alter(twin, twin.from()) + facts.defaults().real());
  }

  Step quarantine() {
    return twin.rowType(
        "quarantine",
        "the old column is renamed",
        twin.column(twin.tombstone()),
        List.of(rename(twin.from(), twin.tombstone())));
  }

  Step unquarantine() {
    return twin.rowType(
        "restore",
        "the old column has its name again",
        twin.column(twin.from()),
        List.of(rename(twin.tombstone(), twin.from())));
  }

  private String rename(String column, String name) {
    return "ALTER TABLE " + twin.table() + " RENAME COLUMN " + column + " TO " + name;
  }
}
