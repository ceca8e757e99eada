package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@link ChangeColumnType} by a second column, and triggers that convert every value, both ways.
 *
 * <p>From CONTRACT on the old column may be NULL: it is so in rows whose new value it can't hold.
 * The way back asks for these twice, before it changes anything and when no more can come.
 */
final class MysqlChangeColumnType implements OperationSupport<ChangeColumnType> {

  private final MysqlVersion version;

  MysqlChangeColumnType(MysqlVersion version) {
    this.version = version;
  }

  @Override
  public OperationType<ChangeColumnType> type() {
    return ChangeColumnType.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      ChangeColumnType migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    ColumnTwinCheck check = new ColumnTwinCheck(migration, migration, target, version, connection);
    if (phase <= ChangeColumnType.EXPAND) {
      Map<String, Object> facts = check.facts();
      check.requireTriggers("");
      new ColumnConversionCheck(migration, check.catalog()).require(facts);
      return facts;
    }
    check.again(known);
    return known;
  }

  /** People go on working on the table. */
  @Override
  public boolean recaptures(int phase) {
    return true;
  }

  @Override
  public List<String> advice(ChangeColumnType migration, Map<String, Object> facts) {
    return RowVersions.advice(facts);
  }

  @Override
  public List<Step> steps(
      ChangeColumnType migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    ColumnTwin twin = new ColumnTwin(migration.id(), migration, target, facts, version);
    ColumnConversion conversion = new ColumnConversion(migration, facts);
    TypeTriggers triggers = new TypeTriggers(migration, target, conversion);
    boolean up = direction == Direction.UP;
    return switch (phase) {
      case ChangeColumnType.EXPAND ->
          up
              ? SyncTriggers.all(List.of(twin.add()), triggers.createStrict())
              : SyncTriggers.all(triggers.dropStrict(), List.of(twin.dropNew()));
      case ChangeColumnType.BACKFILL -> up ? List.of(copy(twin, conversion)) : List.of();
      case ChangeColumnType.VERIFY ->
          up ? List.of(verify("verify", twin.scan(conversion.wrong()))) : List.of();
      case ChangeColumnType.ENFORCE -> up ? twin.addIndexes(false) : twin.dropNewIndexes();
      case ChangeColumnType.CONTRACT ->
          up ? contract(twin, conversion, triggers) : restore(twin, conversion, triggers);
      case ChangeColumnType.PURGE ->
          up
              ? SyncTriggers.all(
                  twin.dropOldIndexes(), triggers.dropKeeping(), List.of(twin.dropOld()))
              : List.of();
      default -> throw new IllegalArgumentException("ChangeColumnType has no phase " + phase);
    };
  }

  private static Step copy(ColumnTwin twin, ColumnConversion conversion) {
    return BackfillStep.assign(
        "copy",
        "converts the values of rows written before",
        twin.scan(conversion.wrong()),
        conversion.copied() + twin.kept(),
        conversion.poison(),
        true);
  }

  private static VerifyStep verify(String name, Scan scan) {
    return new VerifyStep(
        name, "in every row one column's value is exactly what the other's converts to", scan);
  }

  private static List<Step> contract(
      ColumnTwin twin, ColumnConversion conversion, TypeTriggers triggers) {
    List<Step> steps = new ArrayList<>();
    // What old code wrote since. Once new values are kept as they are, this is over.
    steps.add(
        verify("verify-again", twin.scan(conversion.wrong() + " AND NOT " + triggers.keeping())));
    steps.add(twin.visible(true));
    steps.addAll(twin.handOver());
    steps.addAll(triggers.createKeeping());
    steps.addAll(triggers.dropStrict());
    steps.add(twin.quarantineLoose(true));
    steps.addAll(twin.handOverIndexes());
    return steps;
  }

  private static List<Step> restore(
      ColumnTwin twin, ColumnConversion conversion, TypeTriggers triggers) {
    List<Step> steps = new ArrayList<>();
    steps.add(verify("verify-back", twin.scan(conversion.wrong())));
    steps.addAll(triggers.createStrict());
    steps.add(verify("verify-back-again", twin.scan(conversion.wrong())));
    steps.addAll(triggers.dropKeeping());
    steps.addAll(twin.handBackIndexes());
    steps.add(twin.quarantineLoose(false));
    steps.addAll(twin.handBack());
    steps.add(twin.visible(false));
    return steps;
  }

  @Override
  public List<String> net(ChangeColumnType migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    String table = migration.table();
    String from = Facts.required(facts, ColumnTwinCheck.OLD);
    String to = migration.to();
    List<String> actions = new ArrayList<>();
    List<Map<String, Object>> indexes = Facts.maps(facts, ColumnTwinCheck.INDEXES);
    indexes.forEach(each -> actions.add("DROP INDEX " + Plain.name(Facts.required(each, "name"))));
    actions.add("DROP COLUMN " + Plain.name(from));
    actions.add(
        "MODIFY COLUMN "
            + Plain.name(to)
            + " "
            + Facts.required(facts, ColumnTwinCheck.NEW_DEFINITION));
    for (Map<String, Object> each : indexes) {
      actions.add(
          "ADD "
              + (Facts.flag(each, "unique") ? "UNIQUE " : "")
              + "KEY "
              + Plain.name(Facts.required(each, "name"))
              + Facts.required(each, "clause"));
    }
    return List.of(
        plain.alter(table, "ADD COLUMN " + Plain.name(to) + " " + migration.type()),
        "UPDATE "
            + plain.in(table)
            + " SET "
            + Plain.name(to)
            + " = "
            + migration.up()
            + plain.kept(table, Facts.texts(facts, ColumnTwinCheck.STAMPED)),
        plain.alter(table, String.join(", ", actions)));
  }
}
