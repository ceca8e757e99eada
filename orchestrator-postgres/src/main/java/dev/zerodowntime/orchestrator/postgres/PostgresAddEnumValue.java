package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.AddEnumValue;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A value added to an enumeration. In all supported versions ADD VALUE may run in a transaction
 * (since PostgreSQL 12), and the value can be used once that has committed, which is when the phase
 * is reached.
 */
final class PostgresAddEnumValue implements OperationSupport<AddEnumValue> {

  @Override
  public OperationType<AddEnumValue> type() {
    return AddEnumValue.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      AddEnumValue migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    Catalog catalog = new Catalog(migration, target, connection);
    Sql.requireFits(migration.id(), "enumeration value's", migration.value());
    CatalogEnum type =
        CatalogEnum.read(catalog, catalog.table(migration.table()), migration.type());
    // One that is there already, by hand or from before a way back, is what is wanted.
    for (Optional<String> beside : List.of(migration.beforeValue(), migration.afterValue())) {
      if (beside.isPresent()) {
        type.require(catalog, beside.get());
      }
    }
    return Map.of();
  }

  @Override
  public Optional<String> consent(
      AddEnumValue migration, Map<String, Object> facts, int phase, Direction direction) {
    return direction == Direction.DOWN ? Optional.of(stays(migration)) : Optional.empty();
  }

  private static String stays(AddEnumValue migration) {
    return "value \""
        + migration.value()
        + "\" stays in type \""
        + migration.type()
        + "\", for PostgreSQL can't take it away, and rows may have it";
  }

  @Override
  public List<Step> steps(
      AddEnumValue migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    String table = Sql.qualified(target.schema(), migration.table());
    String type = Sql.qualified(target.schema(), migration.type());
    if (direction == Direction.DOWN) {
      return List.of(
          new DdlStep(
              "keep-value",
              stays(migration),
              "none",
              List.of(table),
              List.of(),
              new Probe("SELECT true"),
              false));
    }
    return List.of(
        new DdlStep(
            "add-value",
            "adds the value; touches no row and locks no table",
            "none on tables; other changes of the type's values wait",
            List.of(),
            List.of(
                "ALTER TYPE "
                    + type
                    + " ADD VALUE IF NOT EXISTS "
                    + Sql.literal(migration.value())
                    + migration.beforeValue().map(it -> " BEFORE " + Sql.literal(it)).orElse("")
                    + migration.afterValue().map(it -> " AFTER " + Sql.literal(it)).orElse("")),
            Probes.all(Probes.enumValue(type, migration.value())),
            false));
  }

  @Override
  public List<String> net(AddEnumValue migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        "ALTER TYPE "
            + new Plain(target).in(migration.type())
            + " ADD VALUE IF NOT EXISTS "
            + Sql.literal(migration.value())
            + migration.beforeValue().map(each -> " BEFORE " + Sql.literal(each)).orElse("")
            + migration.afterValue().map(each -> " AFTER " + Sql.literal(each)).orElse(""));
  }
}
