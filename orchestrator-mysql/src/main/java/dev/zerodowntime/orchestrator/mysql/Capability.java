package dev.zerodowntime.orchestrator.mysql;

import org.jspecify.annotations.Nullable;

/**
 * The least that a server needs for a change.
 *
 * @param change what is changed
 * @param algorithm the best that the server accepts, as its ALGORITHM clause calls it; null if it
 *     has no such change
 * @param writes whether other sessions go on writing meanwhile
 * @param work what is done besides the catalog
 */
record Capability(Change change, @Nullable Algorithm algorithm, boolean writes, Work work) {

  /** From the best to the worst. Only MariaDB has the word NOCOPY. */
  enum Algorithm {
    INSTANT,
    NOCOPY,
    INPLACE,
    COPY
  }

  /** What has to be read and written. */
  enum Work {
    /** Nothing but the catalog. */
    CATALOG,
    /** An index is built from all rows. */
    INDEX,
    /** The table is written anew, with all its indexes. */
    TABLE
  }

  /** For people: short enough for a table's cell. */
  String words() {
    if (algorithm == null) {
      return "no such statement";
    }
    String what =
        switch (work) {
          case CATALOG -> "";
          case INDEX -> ", builds an index";
          case TABLE -> ", rewrites the table";
        };
    return algorithm + what + (writes ? "" : ", **blocks writes**");
  }
}
