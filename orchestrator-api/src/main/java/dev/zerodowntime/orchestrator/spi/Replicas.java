package dev.zerodowntime.orchestrator.spi;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;

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

  /**
   * Whether commits are being kept waiting for a replica that has to confirm them and doesn't.
   * Nobody who waits so can say it: whoever asks does.
   *
   * @param primary a connection to the primary
   * @return what is waited for, for people; empty, as by default, if nothing is known of that kind
   * @throws SQLException if it can't be asked
   */
  default Optional<String> unconfirmed(Connection primary) throws SQLException {
    return Optional.empty();
  }
}
