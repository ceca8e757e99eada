package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Migration;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.operation.ColumnRename;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.OnlineStep;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One rename that copies the column: the names of everything it makes, and how its steps look.
 * Names depend on nothing but the migration and the target schema, so that whoever takes over finds
 * them.
 */
final class ColumnTwin {

  private final Target target;
  private final String table;
  private final String from;
  private final String to;
  private final String hash;
  private final ColumnFacts facts;
  private final @Nullable ColumnConversion conversion;

  ColumnTwin(
      Migration<?> migration, ColumnRename rename, Target target, Map<String, Object> facts) {
    this.target = target;
    this.table = rename.table();
    this.from = rename.from();
    this.to = rename.to();
    this.hash = Sql.hash8(migration.id(), target.schema());
    this.facts = new ColumnFacts(facts);
    this.conversion =
        migration instanceof ChangeColumnType change
            ? new ColumnConversion(change, target.controlSchema(), hash, this.facts)
            : null;
  }

  private ColumnTwin(ColumnTwin other, ColumnFacts facts) {
    this.target = other.target;
    this.table = other.table;
    this.from = other.from;
    this.to = other.to;
    this.hash = other.hash;
    this.facts = facts;
    this.conversion = other.conversion;
  }

  /** The same rename of a column that has other things. */
  ColumnTwin with(ColumnFacts other) {
    return new ColumnTwin(this, other);
  }

  ColumnFacts facts() {
    return facts;
  }

  /** Quoted and qualified. */
  String table() {
    return Sql.qualified(target.schema(), table);
  }

  /** The old column, quoted. */
  String from() {
    return Sql.quote(from);
  }

  /** The new column, quoted. */
  String to() {
    return Sql.quote(to);
  }

  /** The old column in quarantine, quoted. */
  String tombstone() {
    return Sql.quote(Sql.tombstone(target.id(), target.schema(), from));
  }

  /** An index or sequence of the table's schema, quoted and qualified. */
  String inSchema(String name) {
    return Sql.qualified(target.schema(), name);
  }

  /** The trigger, unquoted. It sorts last but for those that fill. */
  String trigger() {
    return RowTriggers.OURS + "1_sync_" + hash;
  }

  /** Its function, unquoted. Also tells that the new column is this migration's own. */
  String functionName() {
    return "rename_" + hash;
  }

  /** Its function, quoted and qualified. */
  String function() {
    return Sql.qualified(target.controlSchema(), functionName());
  }

  /** The check that proves NOT NULL, unquoted. */
  String notNullCheck() {
    return "zdo_not_null_" + hash;
  }

  /** The double of an index or constraint until it gets the original's name, unquoted. */
  String twin(String original) {
    return named(original, "twin");
  }

  /** A unique index before it takes the original's place, unquoted. */
  String spare(String original, boolean newName) {
    return named(original, newName ? "unique" : "unique again");
  }

  private String named(String original, String purpose) {
    return Sql.cut(original, Sql.MAX_NAME_BYTES - 9) + "_" + Sql.hash8(hash, original, purpose);
  }

  /** Whether the new column is of another type. */
  boolean converts() {
    return conversion != null;
  }

  /** How values become those of the other column; only where {@link #converts}. */
  ColumnConversion conversion() {
    return Objects.requireNonNull(conversion);
  }

  /** What the new column's value is, given the old one's as SQL. */
  String up(String value) {
    return conversion == null ? value : conversion.up(value);
  }

  /** What the old column's value is, given the new one's as SQL. */
  String down(String value) {
    return conversion == null ? value : conversion.down(value);
  }

  /** Whether the columns of a row don't correspond. */
  private String wrong(String old) {
    return conversion == null
        ? differ(old, to())
        : "(NOT "
            + conversion.correspond(old, to())
            + (facts.notNull() ? " OR " + to() + " IS NULL" : "")
            + ")";
  }

  /** Whether two columns differ, as their images do: {@code =} calls too much equal. */
  static String differ(String one, String other) {
    return "pg_catalog.record_image_ne(ROW(" + one + "), ROW(" + other + "))";
  }

  Scan differing() {
    return new Scan(table(), facts.keys(), wrong(from()));
  }

  VerifyStep verify(String name) {
    return verify(name, differing().pending());
  }

  VerifyStep verify(String name, String pending) {
    return new VerifyStep(
        name,
        converts()
            ? "in every row one column's value is what the other's converts to, image by image"
            : "every row has the same value in both columns, image by image",
        new Scan(table(), facts.keys(), pending));
  }

  /**
   * Whether the columns differ, in a form that can also be asked once the old column has lost its
   * name, as when a movement turns round half-way: then its name is found one level further out,
   * where it stands for the new column.
   */
  String differIfThere() {
    if (conversion != null) {
      return ifThere(from(), wrong(from()));
    }
    return "EXISTS (SELECT 1 FROM (SELECT "
        + to()
        + " AS "
        + from()
        + ") AS zdo_else WHERE (SELECT "
        + differ(from(), to())
        + " FROM (SELECT "
        + table()
        + ".*) AS zdo_row))";
  }

  /** Whether the old column would get less back than the new one has, asked in the same form. */
  String lostIfThere() {
    return ifThere(
        tombstone(),
        "("
            + (facts.notNull() ? tombstone() + " IS NULL OR " : "")
            + "NOT "
            + conversion().correspond(tombstone(), to())
            + ")");
  }

  private String ifThere(String old, String condition) {
    return "EXISTS (SELECT 1 FROM (SELECT CAST(NULL AS "
        + facts.type()
        + ") AS "
        + old
        + ") AS zdo_else WHERE CASE WHEN (SELECT "
        + column(old)
        + ") THEN (SELECT "
        + condition
        + " FROM (SELECT "
        + table()
        + ".*) AS zdo_row) ELSE false END)";
  }

  // ---- steps

  DdlStep ddl(String name, String summary, String mode, String done, String... sql) {
    return ddl(name, summary, mode, done, List.of(sql));
  }

  DdlStep ddl(String name, String summary, String mode, String done, List<String> sql) {
    return new DdlStep(
        name,
        summary,
        lock(mode) + ", within the lock budget",
        List.of(table()),
        sql,
        probe(done),
        false);
  }

  /** A step that statements prepared for {@code SELECT *} notice. */
  DdlStep rowType(String name, String summary, String done, List<String> sql) {
    return new DdlStep(
        name,
        summary,
        lock("ACCESS EXCLUSIVE") + ", within the lock budget",
        List.of(table()),
        sql,
        probe(done),
        true);
  }

  OnlineStep online(String name, String summary, String statement, String done) {
    return new OnlineStep(
        name,
        summary,
        lock("SHARE UPDATE EXCLUSIVE"),
        statement,
        probe(done),
        probe("false"),
        List.of());
  }

  /** Builds an index; what an interrupted attempt left is dropped first. */
  OnlineStep build(String name, String summary, String index, String statement, String done) {
    return new OnlineStep(
        name,
        summary,
        lock("SHARE UPDATE EXCLUSIVE"),
        statement,
        probe(done),
        probe(indexState(index, "NOT (i.indisvalid AND i.indisready)")),
        List.of("DROP INDEX CONCURRENTLY IF EXISTS " + inSchema(index)));
  }

  /** Drops an index; started again, it finishes an interrupted attempt. */
  OnlineStep dropIndex(String name, String summary, String index) {
    return online(
        name,
        summary,
        "DROP INDEX CONCURRENTLY IF EXISTS " + inSchema(index),
        "NOT " + indexState(index, "true"));
  }

  static Probe probe(String condition) {
    return new Probe("SELECT " + condition);
  }

  private String lock(String mode) {
    return mode + " on " + table();
  }

  // ---- conditions for probes

  private String relation() {
    return Sql.regclass(target.schema(), table);
  }

  /** The name as a literal, of a column given quoted. */
  static String unquoted(String quoted) {
    return Sql.literal(quoted.substring(1, quoted.length() - 1).replace("\"\"", "\""));
  }

  /** Whether a column, given quoted, is there and has a property of {@code pg_attribute a}. */
  String column(String quoted, String property) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = "
        + relation()
        + " AND a.attname = "
        + unquoted(quoted)
        + " AND NOT a.attisdropped AND ("
        + property
        + "))";
  }

  String column(String quoted) {
    return column(quoted, "true");
  }

  /** Whether the table has a constraint with a property of {@code pg_constraint k}. */
  String constraint(String name, String property) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conrelid = "
        + relation()
        + " AND k.conname = "
        + Sql.literal(name)
        + " AND ("
        + property
        + "))";
  }

  /** Whether the table has an index with a property of {@code pg_index i}. */
  String indexState(String name, String property) {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = "
        + relation()
        + " AND i.indexrelid = "
        + Sql.regclass(inSchema(name))
        + " AND ("
        + property
        + "))";
  }

  String indexWhole(String name) {
    return indexState(name, "i.indisvalid AND i.indisready");
  }

  /** Whether an index covers a column, given quoted. */
  String indexCovers(String name, String quoted) {
    return indexState(
        name,
        "i.indisvalid AND (SELECT a.attnum FROM pg_catalog.pg_attribute a WHERE a.attrelid ="
            + " i.indrelid AND a.attname = "
            + unquoted(quoted)
            + " AND NOT a.attisdropped) = ANY (i.indkey::int2[])");
  }

  /** Whether a trigger of ours is there, and fires whatever session_replication_role says. */
  String triggerThere() {
    return "EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = "
        + relation()
        + " AND t.tgname = "
        + Sql.literal(trigger())
        + " AND t.tgenabled = 'A')";
  }

  /** Whether a comment is this one; {@code what} is an SQL expression of the comment found. */
  static String commented(String what, String comment) {
    return what + " IS NOT DISTINCT FROM " + Sql.literal(comment);
  }

  /** The oid of the table, as SQL. */
  String oid() {
    return relation();
  }
}
