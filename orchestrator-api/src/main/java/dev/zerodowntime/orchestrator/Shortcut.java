package dev.zerodowntime.orchestrator;

/**
 * Work that a migration doesn't need here, and why: because of what the server's version has, or of
 * what the table is. Phases, code stages and gates are the same with or without it.
 *
 * @param kind what it rests on
 * @param text what is done instead, for people
 */
public record Shortcut(Kind kind, String text) {

  /** What a shortcut rests on. */
  public enum Kind {
    /**
     * The table has no rows. That is asked again when it counts, under the lock that keeps rows
     * away; if some have come by then, they are looked after as in any other table.
     */
    EMPTY_TABLE("the table is empty"),
    /** The table does not exist yet: another migration of the same build creates it. */
    NEW_TABLE("the table is new"),
    /** The version of the server has a better way than older ones. */
    SERVER_VERSION("this server's version"),
    /** The server keeps a default once for all rows that were there before. */
    FAST_DEFAULT("fast default");

    private final String words;

    Kind(String words) {
      this.words = words;
    }
  }

  @Override
  public String toString() {
    return kind.words + ": " + text;
  }
}
