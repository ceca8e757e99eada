package dev.zerodowntime.orchestrator;

/** When a backfill's batches may run. Placeholder shape: its text is kept, and always open. */
public record BackfillWindow(String text) {

  /** At any time. */
  public static final BackfillWindow ALWAYS = new BackfillWindow("");

  /** Reads what {@link #toString()} writes. */
  public static BackfillWindow parse(String text) {
    return text.isBlank() ? ALWAYS : new BackfillWindow(text);
  }

  @Override
  public String toString() {
    return text;
  }
}
