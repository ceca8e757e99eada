package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.Span;
import dev.zerodowntime.orchestrator.StageSpan;
import dev.zerodowntime.orchestrator.operation.DropColumn;
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
import java.util.Optional;

/** A column is relaxed, renamed to an invisible tombstone, and after a while dropped. */
final class MysqlDropColumn implements OperationSupport<DropColumn> {

  private final MysqlVersion version;

  MysqlDropColumn(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<DropColumn> type() {
    return DropColumn.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      DropColumn migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    DropColumnCheck check = new DropColumnCheck(migration, target, version, connection);
    if (phase == DropColumn.CONTRACT) {
      check.requireStillUnused();
    }
    return phase == DropColumn.RELAX ? check.facts() : known;
  }

  @Override
  public boolean recaptures(int phase) {
    return phase <= DropColumn.CONTRACT;
  }

  /** Where nothing rejects a row without it, code that doesn't know it fits from the start. */
  @Override
  public List<StageSpan> stages(DropColumn migration, Map<String, Object> facts) {
    List<StageSpan> stages = new ArrayList<>(migration.lifecycle().stages());
    if (!Facts.flag(facts, DropColumnCheck.REJECTS)) {
      stages.set(
          stages.size() - 1,
          new StageSpan(DropColumn.Code.UNUSED.name(), new Span(0, DropColumn.PURGE)));
    }
    return stages;
  }

  @Override
  public Optional<String> consent(
      DropColumn migration, Map<String, Object> facts, int phase, Direction direction) {
    boolean lost =
        phase == DropColumn.RELAX
            && direction == Direction.DOWN
            && Facts.flag(facts, DropColumnCheck.REJECTS)
            && migration.fillBackSql().isEmpty();
    return lost
        ? Optional.of(
            "column "
                + Sql.quote(migration.column())
                + " was NOT NULL, and rows may have been written without a value since: it stays"
                + " nullable, for no fillBackWithSql says what they should have")
        : Optional.empty();
  }

  @Override
  public List<String> advice(DropColumn migration, Map<String, Object> facts) {
    return RowVersions.advice(facts);
  }

  @Override
  public List<Step> steps(
      DropColumn migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    Names names = new Names(migration, target, facts);
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case DropColumn.RELAX ->
          !Facts.flag(facts, DropColumnCheck.REJECTS)
              ? List.of()
              : up ? List.of(names.notNull(false)) : unrelax(migration, facts, names);
      case DropColumn.CONTRACT -> List.of(up ? names.quarantine() : names.restore());
      case DropColumn.PURGE -> up ? purge(facts, names) : List.of();
      default -> throw new IllegalArgumentException("DropColumn has no phase " + phase);
    };
  }

  private static List<Step> unrelax(DropColumn migration, Map<String, Object> facts, Names names) {
    if (migration.fillBackSql().isEmpty()) {
      return List.of();
    }
    String value = "(" + migration.fillBackSql().orElseThrow() + ")";
    String set =
        names.column
            + " = "
            + value
            + Touched.kept(names.table, Facts.texts(facts, DropColumnCheck.STAMPED));
    return List.of(
        BackfillStep.assign(
            "fill-back",
            "fills rows that were written without a value",
            new Scan(names.table, Facts.key(facts), names.column + " IS NULL"),
            set,
            value + " IS NULL",
            true),
        names.notNull(true));
  }

  private List<Step> purge(Map<String, Object> facts, Names names) {
    List<Step> steps = new ArrayList<>();
    for (String index : Facts.texts(facts, DropColumnCheck.INDEXES)) {
      steps.add(
          names.alter(
              "drop-index-" + index,
              "an index of the column goes first: then the rest is a change of the catalog",
              "DROP INDEX " + Sql.quote(index) + Ddl.noCopy(version),
              Probes.all(Probes.not(Probes.index(names.schema, names.plainTable, index))),
              false));
    }
    steps.add(
        names.alter(
            "drop-column",
            "drops the tombstone; there is no way back",
            "DROP COLUMN " + Sql.quote(names.tombstone) + Ddl.instant(),
            Probes.all(Probes.not(names.has(names.tombstone, "TRUE"))),
            true));
    return steps;
  }

  /** Everything by its name. */
  private static final class Names {
    final String schema;
    final String plainTable;
    final String table;
    final String plain;
    final String column;
    final String tombstone;
    private final String definition;
    private final boolean rejects;

    Names(DropColumn migration, Target target, Map<String, Object> facts) {
      schema = target.schema();
      plainTable = migration.table();
      table = Sql.qualified(schema, plainTable);
      plain = Facts.required(facts, DropColumnCheck.NAME);
      column = Sql.quote(plain);
      tombstone = Sql.tombstone(migration.id(), schema, plain);
      definition = Facts.required(facts, DropColumnCheck.DEFINITION);
      rejects = Facts.flag(facts, DropColumnCheck.REJECTS);
    }

    String has(String name, String condition) {
      return Probes.column(schema, plainTable, name, condition);
    }

    /** As it is between RELAX and PURGE. */
    private String relaxed() {
      return rejects ? ColumnText.withNotNull(definition, false) : definition;
    }

    /** A column that is invisible already stays so. */
    private String hidden() {
      return definition.contains("INVISIBLE") ? relaxed() : relaxed() + " INVISIBLE";
    }

    Step notNull(boolean notNull) {
      return Ddl.online(
          notNull ? "set-not-null" : "relax-column",
          notNull
              ? "makes the column NOT NULL again; rewrites the table, with reads and writes going on"
              : "lets a row omit the column; rewrites the table, with reads and writes going on",
          schema,
          plainTable,
          "MODIFY COLUMN "
              + column
              + " "
              + (notNull ? definition : relaxed())
              + ", ALGORITHM=INPLACE, LOCK=NONE",
          Probes.all(has(plain, "IS_NULLABLE = '" + (notNull ? "NO" : "YES") + "'")));
    }

    Step quarantine() {
      return alter(
          "quarantine-column",
          "renames the column to an invisible tombstone, with its values",
          "CHANGE COLUMN " + column + " " + Sql.quote(tombstone) + " " + hidden() + Ddl.instant(),
          Probes.all(Probes.not(has(plain, "TRUE")), has(tombstone, "TRUE")),
          true);
    }

    Step restore() {
      return alter(
          "restore-column",
          "brings the column back from quarantine",
          "CHANGE COLUMN " + Sql.quote(tombstone) + " " + column + " " + relaxed() + Ddl.instant(),
          Probes.all(Probes.not(has(tombstone, "TRUE")), has(plain, "TRUE")),
          true);
    }

    Step alter(String step, String summary, String change, Probe done, boolean changesRowType) {
      return Ddl.step(step, summary, schema, plainTable, change, done, changesRowType);
    }
  }

  @Override
  public List<String> net(DropColumn migration, NetTarget target, Map<String, Object> facts) {
    List<String> actions = new ArrayList<>();
    // Else the server would take the column out of them, and keep the rest.
    Facts.texts(facts, DropColumnCheck.INDEXES)
        .forEach(each -> actions.add("DROP INDEX " + Plain.name(each)));
    actions.add("DROP COLUMN " + Plain.name(migration.column()));
    return List.of(new Plain(target).alter(migration.table(), String.join(", ", actions)));
  }
}
