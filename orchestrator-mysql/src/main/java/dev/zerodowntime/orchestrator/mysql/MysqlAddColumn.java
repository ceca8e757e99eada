package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Shortcut;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A column, nullable and invisible first. As long as code may run that doesn't know it, {@code
 * SELECT *} and {@code INSERT} without a column list go on as before; it becomes visible in {@code
 * DONE}, which therefore waits until no such code is left.
 *
 * <p>Where the default is a constant, rows get it at once, and the column is NOT NULL from the
 * beginning: there is nothing to fill, and nothing to guard.
 */
final class MysqlAddColumn implements OperationSupport<AddColumn> {

  private final MysqlVersion version;

  MysqlAddColumn(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<AddColumn> type() {
    return AddColumn.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddColumn migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return phase <= AddColumn.EXPAND
        ? new AddColumnCheck(migration, target, version, connection).facts()
        : known;
  }

  /** It is made visible at the end: then code that doesn't know it has to be gone. */
  @Override
  public List<StageSpan> stages(AddColumn migration, Map<String, Object> facts) {
    return migration.lifecycle().stages().stream()
        .map(
            each ->
                each.stage().equals(AddColumn.Code.UNAWARE.name())
                    ? new StageSpan(each.stage(), new Span(0, AddColumn.ENFORCE))
                    : each)
        .toList();
  }

  /** The quarantined column's name. Another type or another value would be another column. */
  static String tombstone(AddColumn migration, Target target) {
    return Sql.tombstone(
        migration.id() + " " + migration.type() + " " + value(migration),
        target.schema(),
        migration.column());
  }

  /** The value of rows that have none. */
  static String value(AddColumn migration) {
    return migration.fillSql().or(migration::defaultSql).orElse("NULL");
  }

  /** Whether rows that are there get the default without being touched, and no other value. */
  private static boolean atOnce(AddColumn migration, Map<String, Object> facts) {
    return migration.fillSql().isEmpty()
        && migration.defaultSql().isPresent()
        && Facts.flag(facts, AddColumnCheck.CONSTANT);
  }

  /** Whether rows can be left without the value they should have. */
  static boolean backfills(AddColumn migration, Map<String, Object> facts) {
    if (migration.fillSql().isEmpty() && migration.defaultSql().isEmpty()) {
      return false;
    }
    return !atOnce(migration, facts);
  }

  /** Whether rows must be kept from being written without a value. */
  static boolean triggers(AddColumn migration, Map<String, Object> facts) {
    return migration.notNull() && !atOnce(migration, facts);
  }

  @Override
  public List<Shortcut> shortcuts(AddColumn migration, Map<String, Object> facts) {
    return atOnce(migration, facts)
        ? List.of(
            new Shortcut(
                Shortcut.Kind.FAST_DEFAULT,
                "rows that are there get the default without being touched, so there is nothing to"
                    + " fill"))
        : List.of();
  }

  @Override
  public List<String> advice(AddColumn migration, Map<String, Object> facts) {
    return RowVersions.advice(facts);
  }

  @Override
  public List<Step> steps(
      AddColumn migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    boolean up = direction == Direction.UP;
    boolean triggers = triggers(migration, facts);
    Names names = new Names(migration, target);
    FillTriggers fill = new FillTriggers(migration.id(), target, migration.table());
    List<Step> steps = new ArrayList<>();
    switch (phase) {
      case AddColumn.EXPAND -> {
        if (up) {
          steps.addAll(expand(migration, facts, names));
        }
        if (triggers) {
          steps.addAll(up ? create(fill, migration, facts) : fill.drop());
        }
        if (!up) {
          steps.add(quarantine(names));
        }
      }
      case AddColumn.BACKFILL -> {
        if (up && backfills(migration, facts)) {
          steps.add(backfill(migration, facts, names));
        }
      }
      case AddColumn.ENFORCE -> {
        if (triggers && !hidesNoNotNull()) {
          steps.add(notNull(facts, names, up, " INVISIBLE"));
        }
      }
      case AddColumn.DONE -> {
        if (up) {
          steps.add(visible(migration, facts, names, true));
          if (triggers && hidesNoNotNull()) {
            steps.add(notNull(facts, names, true, ""));
          }
          steps.addAll(triggers ? fill.drop() : List.of());
        } else {
          steps.addAll(triggers ? create(fill, migration, facts) : List.of());
          if (triggers && hidesNoNotNull()) {
            steps.add(notNull(facts, names, false, ""));
          }
          steps.add(visible(migration, facts, names, false));
        }
      }
      default -> throw new IllegalArgumentException("AddColumn has no phase " + phase);
    }
    return steps;
  }

  private static List<Step> create(
      FillTriggers fill, AddColumn migration, Map<String, Object> facts) {
    return fill.create(
        migration.column(), value(migration), Facts.texts(facts, AddColumnCheck.FROM));
  }

  private List<Step> expand(AddColumn migration, Map<String, Object> facts, Names names) {
    if (Facts.flag(facts, AddColumnCheck.TOMBSTONE)) {
      return List.of(
          names.alter(
              "add-column",
              "brings the column back from quarantine",
              "RENAME COLUMN " + Sql.quote(names.tombstone) + " TO " + names.column,
              names.there()));
    }
    String definition = Facts.required(facts, AddColumnCheck.DEFINITION);
    boolean constant = Facts.flag(facts, AddColumnCheck.CONSTANT);
    String added =
        atOnce(migration, facts) && migration.notNull()
            ? ColumnText.withNotNull(definition, true)
            : constant && migration.fillSql().isEmpty()
                ? definition
                : ColumnText.withDefault(definition, null);
    String add = "ADD COLUMN " + names.column + " " + added + " INVISIBLE";
    List<Step> steps = new ArrayList<>();
    if (Facts.flag(facts, AddColumnCheck.INSTANT)) {
      steps.add(
          names.alter(
              "add-column", "adds the column, invisible; touches no row", add, names.there()));
    } else {
      steps.add(
          names.online(
              "add-column",
              "adds the column, invisible; rewrites the compressed table meanwhile",
              add,
              names.there()));
    }
    String value = ColumnText.defaultOf(definition);
    if (value != null && ColumnText.defaultOf(added) == null) {
      steps.add(
          names.alter(
              "set-default",
              "rows that are inserted from now on get the default; those that are there stay"
                  + " without",
              "ALTER COLUMN " + names.column + " SET DEFAULT " + value,
              names.has("COLUMN_DEFAULT IS NOT NULL AND COLUMN_DEFAULT <> 'NULL'")));
    }
    return steps;
  }

  private static Step quarantine(Names names) {
    return names.alter(
        "quarantine-column",
        "renames the column to a tombstone, with its values; nothing fills it any more",
        "RENAME COLUMN " + names.column + " TO " + Sql.quote(names.tombstone),
        Probes.all(Probes.not(names.exists())));
  }

  private static Step backfill(AddColumn migration, Map<String, Object> facts, Names names) {
    String value = "(" + value(migration) + ")";
    String pending = names.column + " IS NULL";
    if (!migration.notNull()) {
      // Where NULL is a good value, a row that gets it is not waiting for anything.
      pending += " AND " + value + " IS NOT NULL";
    }
    String set =
        names.column
            + " = "
            + value
            + Touched.kept(names.table, Facts.texts(facts, AddColumnCheck.STAMPED));
    return BackfillStep.assign(
        "fill",
        "fills rows that have no value",
        new Scan(names.table, Facts.key(facts), pending),
        set,
        migration.notNull() ? value + " IS NULL" : null,
        migration.notNull());
  }

  /**
   * A MariaDB has no invisible column that is NOT NULL and has no default: there it becomes so when
   * it has been made visible. Until then the triggers keep NULL out.
   */
  private boolean hidesNoNotNull() {
    return version.mariadb();
  }

  private static Step notNull(
      Map<String, Object> facts, Names names, boolean up, String visibility) {
    String definition =
        ColumnText.withNotNull(Facts.required(facts, AddColumnCheck.DEFINITION), up);
    return names.online(
        up ? "set-not-null" : "drop-not-null",
        up
            ? "makes the column NOT NULL; rewrites the table, with reads and writes going on"
            : "lets the column be NULL; rewrites the table, with reads and writes going on",
        "MODIFY COLUMN " + names.column + " " + definition + visibility,
        names.has("IS_NULLABLE = '" + (up ? "NO" : "YES") + "'"));
  }

  /** MariaDB has no word for it but the whole definition. */
  private Step visible(
      AddColumn migration, Map<String, Object> facts, Names names, boolean visible) {
    String definition =
        ColumnText.withNotNull(
            Facts.required(facts, AddColumnCheck.DEFINITION),
            // Where there are triggers, NOT NULL comes and goes by itself.
            migration.notNull() && !triggers(migration, facts));
    return names.alterRowType(
        visible ? "show-column" : "hide-column",
        visible
            ? "SELECT * and INSERT without a column list include the column from now on"
            : "SELECT * and INSERT without a column list leave the column out",
        version.mariadb()
            ? "MODIFY COLUMN " + names.column + " " + definition + (visible ? "" : " INVISIBLE")
            : "ALTER COLUMN " + names.column + " SET " + (visible ? "VISIBLE" : "INVISIBLE"),
        names.has("EXTRA " + (visible ? "NOT " : "") + "LIKE '%INVISIBLE%'"));
  }

  /** Everything by its name. */
  private static final class Names {
    final String schema;
    final String name;
    final String table;
    final String plain;
    final String column;
    final String tombstone;

    Names(AddColumn migration, Target target) {
      schema = target.schema();
      name = migration.table();
      table = Sql.qualified(schema, name);
      plain = migration.column();
      column = Sql.quote(plain);
      tombstone = MysqlAddColumn.tombstone(migration, target);
    }

    String exists() {
      return Probes.column(schema, name, plain, "TRUE");
    }

    Probe there() {
      return Probes.all(exists());
    }

    Probe has(String condition) {
      return Probes.all(Probes.column(schema, name, plain, condition));
    }

    Step alter(String step, String summary, String change, Probe done) {
      return alter(step, summary, change, done, false);
    }

    Step alterRowType(String step, String summary, String change, Probe done) {
      return alter(step, summary, change, done, true);
    }

    private Step alter(
        String step, String summary, String change, Probe done, boolean changesRowType) {
      return Ddl.step(step, summary, schema, name, change + Ddl.instant(), done, changesRowType);
    }

    Step online(String step, String summary, String change, Probe done) {
      return Ddl.online(
          step, summary, schema, name, change + ", ALGORITHM=INPLACE, LOCK=NONE", done);
    }
  }

  @Override
  public List<String> net(AddColumn migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    String table = migration.table();
    String column = migration.column();
    String add = "ADD COLUMN " + Plain.name(column) + " " + migration.type();
    String value = ColumnText.defaultOf(Facts.required(facts, AddColumnCheck.DEFINITION));
    String rest =
        (migration.notNull() ? " NOT NULL" : "") + (value == null ? "" : " DEFAULT " + value);
    if (migration.fillSql().isEmpty()) {
      return List.of(plain.alter(table, add + rest));
    }
    List<String> sql = new ArrayList<>();
    sql.add(plain.alter(table, add));
    sql.add(
        "UPDATE "
            + plain.in(table)
            + " SET "
            + Plain.name(column)
            + " = "
            + migration.fillSql().get()
            + plain.kept(table, Facts.texts(facts, AddColumnCheck.STAMPED)));
    if (!rest.isEmpty()) {
      sql.add(plain.modify(table, column, migration.type() + rest));
    }
    return sql;
  }
}
