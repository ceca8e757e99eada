package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.RenameEnumValue;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** A value of an enumeration, renamed in the catalog: rows hold its number. */
final class PostgresRenameEnumValue implements OperationSupport<RenameEnumValue> {

  @Override
  public OperationType<RenameEnumValue> type() {
    return RenameEnumValue.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      RenameEnumValue migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    new RenameEnumValueCheck(migration, target, connection).requireRenamable();
    return Map.of();
  }

  @Override
  public List<Step> steps(
      RenameEnumValue migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    if (phase != RenameEnumValue.DONE) {
      throw new IllegalArgumentException("RenameEnumValue has no phase " + phase);
    }
    String type = Sql.qualified(target.schema(), migration.type());
    return List.of(
        direction == Direction.UP
            ? rename(
                "rename-value",
                "the value has its new name in all rows at once; touches none, and locks no table",
                type,
                migration.from(),
                migration.to())
            : rename(
                "restore-value",
                "the value has its old name again; touches no row, and locks no table",
                type,
                migration.to(),
                migration.from()));
  }

  private static Step rename(String name, String summary, String type, String from, String to) {
    return new DdlStep(
        name,
        summary,
        "none on tables; other changes of the type's values wait",
        List.of(),
        List.of(
            "ALTER TYPE " + type + " RENAME VALUE " + Sql.literal(from) + " TO " + Sql.literal(to)),
        Probes.all(Probes.enumValue(type, to), Probes.not(Probes.enumValue(type, from))),
        false);
  }

  @Override
  public List<String> net(RenameEnumValue migration, NetTarget target, Map<String, Object> facts) {
    return List.of(
        "ALTER TYPE "
            + new Plain(target).in(migration.type())
            + " RENAME VALUE "
            + Sql.literal(migration.from())
            + " TO "
            + Sql.literal(migration.to()));
  }
}
