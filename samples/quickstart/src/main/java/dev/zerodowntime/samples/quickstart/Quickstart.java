package dev.zerodowntime.samples.quickstart;

/**
 * Placeholder: shows that the profile builds, runs, and passes on its properties and the exit
 * status.
 */
public final class Quickstart {

  private Quickstart() {}

  public static void main(String[] args) {
    System.out.printf(
        "quickstart: plain=%s rows=%s seconds=%s%n",
        Boolean.getBoolean("quickstart.plain"),
        Long.getLong("quickstart.rows", 200_000),
        Integer.getInteger("quickstart.seconds", 60));
    // Always at the end: the build's exit status is the program's.
    System.exit(0);
  }
}
