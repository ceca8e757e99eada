package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.Replicas;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;

/** Compares positions in the binary log. */
final class MysqlReplicas implements Replicas {

  private final Positions positions;

  MysqlReplicas(MysqlVersion version) {
    this.positions = new Positions(version);
  }

  @Override
  public String position(Connection primary) throws SQLException {
    return positions.written(primary);
  }

  /** A reader that is the primary itself sees what it wrote. Unknown is no. */
  @Override
  public boolean replayed(Connection reader, String position) throws SQLException {
    if (positions.server(reader).equals(Positions.server(position))) {
      return true;
    }
    Optional<String> there = positions.replayed(reader);
    return there.isPresent() && Positions.compare(position, there.get()) <= 0;
  }
}
