package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;

/** How far replicas have followed: queries there are covered by the promise as well. */
public interface Replicas {

  /**
   * Where the primary is.
   *
   * @param primary a connection to it
   * @return a position that {@link #replayed} understands
   * @throws SQLException if it can't be asked
   */
  String position(Connection primary) throws SQLException;

  /**
   * Whether a replica has replayed everything up to a position.
   *
   * @param reader a connection to the replica
   * @param position what {@link #position} gave
   * @return whether queries there see it
   * @throws SQLException if it can't be asked
   */
  boolean replayed(Connection reader, String position) throws SQLException;
}
