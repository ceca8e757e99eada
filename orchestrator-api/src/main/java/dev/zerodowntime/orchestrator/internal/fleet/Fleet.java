package dev.zerodowntime.orchestrator.internal.fleet;

import java.util.List;

/**
 * Everything counted for one migration, read under the exclusive lock of the fleet row.
 *
 * @param counted live members, pinned members and warm releases
 * @param applicationKnown whether any application has ever registered in this database
 * @param paused whether a person has paused everything
 * @param held whether the server is a new incarnation whose members have not had one expiry to
 *     report back
 */
public record Fleet(List<Counted> counted, boolean applicationKnown, boolean paused, boolean held) {

  /** Copies the list. */
  public Fleet {
    counted = List.copyOf(counted);
  }
}
