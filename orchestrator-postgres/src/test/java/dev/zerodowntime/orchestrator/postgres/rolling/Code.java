package dev.zerodowntime.orchestrator.postgres.rolling;

import dev.zerodowntime.orchestrator.postgres.rolling.Account.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the code of one stage does with the table: the columns it names, and so its SQL.
 *
 * @param stage the stage's name
 * @param reads the columns it reads; together they are the entity that its mapper knows
 * @param writes the columns it writes
 * @param omits whether its inserts may leave the subject out
 * @param omitted what a row written like that holds then; null for whatever the fill gives
 * @param strict whether it relies on every row having the value
 * @param upsertsOn the column it upserts on, or null
 * @param table the name by which it knows the table
 */
record Code(
    String stage,
    List<Column> reads,
    List<Column> writes,
    boolean omits,
    String omitted,
    boolean strict,
    String upsertsOn,
    String table) {

  private static final List<Column> ALWAYS =
      List.of(new Column("country", Field.COUNTRY), new Column("note", Field.NOTE));

  /** A column by the name that this code has for it. */
  record Column(String name, Field field) {}

  /** Code that neither reads nor writes the subject. */
  static Code of(Enum<?> stage) {
    return new Code(stage.name(), ALWAYS, ALWAYS, false, null, true, null, "accounts");
  }

  Code reads(String column) {
    List<Column> more = and(reads, column);
    return new Code(stage, more, writes, omits, omitted, strict, upsertsOn, table);
  }

  Code writes(String... columns) {
    List<Column> more = and(writes, columns);
    return new Code(stage, reads, more, omits, omitted, strict, upsertsOn, table);
  }

  Code omitting(String value) {
    return new Code(stage, reads, writes, true, value, strict, upsertsOn, table);
  }

  Code tolerant() {
    return new Code(stage, reads, writes, omits, omitted, false, upsertsOn, table);
  }

  Code upserts(String column) {
    return new Code(stage, reads, writes, omits, omitted, strict, column, table);
  }

  Code table(String name) {
    return new Code(stage, reads, writes, omits, omitted, strict, upsertsOn, name);
  }

  private static List<Column> and(List<Column> columns, String... names) {
    List<Column> all = new ArrayList<>(columns);
    Stream.of(names).forEach(each -> all.add(new Column(each, Field.SUBJECT)));
    return List.copyOf(all);
  }

  boolean knows(List<Column> columns, Field field) {
    return columns.stream().anyMatch(each -> each.field() == field);
  }

  /** The name by which it looks the subject up. */
  String subject() {
    return reads.stream()
        .filter(each -> each.field() == Field.SUBJECT)
        .findFirst()
        .orElseThrow()
        .name();
  }

  String select() {
    return "SELECT id, " + names(reads) + " FROM " + table + " WHERE id = ?";
  }

  String selectStar() {
    return "SELECT * FROM " + table + " WHERE id = ?";
  }

  String selectBySubject() {
    return "SELECT count(*) FROM " + table + " WHERE id = ? AND " + subject() + " = ?";
  }

  /** What an insert writes. */
  List<Column> inserted(boolean withSubject) {
    return writes.stream().filter(each -> withSubject || each.field() != Field.SUBJECT).toList();
  }

  String insert(List<Column> columns, int rows) {
    String row = columns.stream().map(each -> "?").collect(Collectors.joining(", ", "(", ")"));
    return "INSERT INTO "
        + table
        + " ("
        + names(columns)
        + ") VALUES "
        + Stream.generate(() -> row).limit(rows).collect(Collectors.joining(", "));
  }

  List<Column> updated(Field field) {
    return writes.stream().filter(each -> each.field() == field).toList();
  }

  /** All columns that its mapper knows from an entity it has read. */
  List<Column> overwritten() {
    return writes.stream().filter(each -> knows(reads, each.field())).toList();
  }

  String update(List<Column> columns) {
    return "UPDATE "
        + table
        + " SET "
        + columns.stream().map(each -> each.name() + " = ?").collect(Collectors.joining(", "))
        + " WHERE id = ?";
  }

  String upsert() {
    return insert(writes, 1)
        + " ON CONFLICT ("
        + upsertsOn
        + ") DO UPDATE SET note = excluded.note";
  }

  String upsertHot() {
    return insert(writes, 1)
        + " ON CONFLICT ("
        + upsertsOn
        + ") DO UPDATE SET hits = "
        + table
        + ".hits + 1";
  }

  String updateHot() {
    return "UPDATE " + table + " SET hits = hits + 1 WHERE " + subject() + " = ?";
  }

  String deleteHot() {
    return "DELETE FROM " + table + " WHERE " + subject() + " = ? RETURNING hits";
  }

  String delete() {
    return "DELETE FROM " + table + " WHERE id = ?";
  }

  private static String names(List<Column> columns) {
    return columns.stream().map(Column::name).collect(Collectors.joining(", "));
  }
}
