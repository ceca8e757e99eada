package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.operation.RenameColumnByView;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Target;
import java.util.ArrayList;
import java.util.List;

/** The view that stands in for a table while a column of it has two names, as SQL. */
final class TwoNameView {

  private final String migration;
  private final String table;
  private final String hidden;
  private final String hiddenName;
  private final String tableName;
  private final String from;
  private final String to;
  private final String tag;

  TwoNameView(RenameColumnByView migration, Target target) {
    String schema = target.schema();
    String hash = Sql.hash8(migration.id(), schema);
    String prefix = StandInView.HIDDEN + hash + "_";
    this.migration = migration.id();
    this.tableName = migration.table();
    this.hiddenName = prefix + Sql.cut(tableName, Sql.MAX_NAME_BYTES - prefix.length());
    this.table = Sql.qualified(schema, tableName);
    this.hidden = Sql.qualified(schema, hiddenName);
    this.from = migration.from();
    this.to = migration.to();
    this.tag = "zdo_" + hash;
  }

  /** Where code looks for the table; quoted and qualified. */
  String table() {
    return table;
  }

  /** The table's own name meanwhile, quoted and qualified. */
  String hidden() {
    return hidden;
  }

  /** The same, unquoted and unqualified. */
  String hiddenName() {
    return hiddenName;
  }

  String from() {
    return from;
  }

  String to() {
    return to;
  }

  String hide() {
    return "ALTER TABLE " + table + " RENAME TO " + Sql.quote(hiddenName);
  }

  String create() {
    return StandInView.create(table, hidden, from, to, migration, tag);
  }

  String drop() {
    return "DROP VIEW " + table;
  }

  String unhide() {
    return "ALTER TABLE " + hidden + " RENAME TO " + Sql.quote(tableName);
  }

  String rename(String before, String after) {
    return "ALTER TABLE "
        + table
        + " RENAME COLUMN "
        + Sql.quote(before)
        + " TO "
        + Sql.quote(after);
  }

  /** Whether the view stands in for the table, with everything that the table has. */
  Probe shown() {
    List<String> conditions = new ArrayList<>(StandInView.shown(table, hidden));
    conditions.add(Probes.column(table, to));
    conditions.add(Probes.column(table, from));
    conditions.add(Probes.column(hidden, from));
    return Probes.all(conditions.toArray(String[]::new));
  }

  /** Whether the table is back, with one name for the column. */
  Probe gone(String is, String was) {
    return Probes.all(
        StandInView.kind(table, "r"),
        Sql.regclass(hidden) + " IS NULL",
        Probes.column(table, is),
        Probes.not(Probes.column(table, was)));
  }
}
