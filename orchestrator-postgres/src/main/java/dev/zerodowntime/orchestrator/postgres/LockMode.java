package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.TableLock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Table locks, weakest first, and which of them a statement that wants one has to wait for. */
enum LockMode {
  ACCESS_SHARE("AccessShareLock", 0x80),
  ROW_SHARE("RowShareLock", 0xC0),
  ROW_EXCLUSIVE("RowExclusiveLock", 0xF0),
  SHARE_UPDATE_EXCLUSIVE("ShareUpdateExclusiveLock", 0xF8),
  SHARE("ShareLock", 0xEC),
  SHARE_ROW_EXCLUSIVE("ShareRowExclusiveLock", 0xFC),
  EXCLUSIVE("ExclusiveLock", 0xFE),
  ACCESS_EXCLUSIVE("AccessExclusiveLock", 0xFF);

  private final String catalogName;
  private final int conflicts;

  LockMode(String catalogName, int conflicts) {
    this.catalogName = catalogName;
    this.conflicts = conflicts;
  }

  /** The mode that {@code pg_locks} names. */
  static LockMode ofCatalog(String name) {
    for (LockMode mode : values()) {
      if (mode.catalogName.equals(name)) {
        return mode;
      }
    }
    return ACCESS_EXCLUSIVE;
  }

  /** Its name in the documentation. */
  String documented() {
    return name().replace('_', ' ');
  }

  /** The strongest of a step's locks; the strongest of all if it declares none. */
  static LockMode strongest(List<TableLock> locks) {
    return locks.stream()
        .map(each -> of(each.mode()))
        .max(Comparator.naturalOrder())
        .orElse(ACCESS_EXCLUSIVE);
  }

  /**
   * The mode that a step's description begins with.
   *
   * @return the strongest if it doesn't begin with one
   */
  static LockMode of(String description) {
    String text = description.toUpperCase(Locale.ROOT).replace(' ', '_');
    LockMode best = null;
    for (LockMode mode : values()) {
      if (text.startsWith(mode.name())
          && (best == null || mode.name().length() > best.name().length())) {
        best = mode;
      }
    }
    return best == null ? ACCESS_EXCLUSIVE : best;
  }

  /** The modes it conflicts with, as pg_locks names them. */
  List<String> conflicts() {
    List<String> modes = new ArrayList<>();
    for (LockMode mode : values()) {
      if ((conflicts & 1 << mode.ordinal()) != 0) {
        modes.add(mode.catalogName);
      }
    }
    return modes;
  }
}
