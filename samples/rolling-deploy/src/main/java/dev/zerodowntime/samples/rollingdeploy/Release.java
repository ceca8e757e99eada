package dev.zerodowntime.samples.rollingdeploy;

/** The releases of a sample, as the pipeline sees them. */
enum Release {
  R1("knows nothing of the library", false),
  R2("brings the library, and announces region", false),
  R3("relies on region, and can use name as well as full_name", true),
  R4("uses full_name alone", true),
  R5("has deleted the declarations: both migrations are finished", true);

  private final String news;
  private final boolean hasRegion;

  Release(String news, boolean hasRegion) {
    this.news = news;
    this.hasRegion = hasRegion;
  }

  int number() {
    return ordinal() + 1;
  }

  /** What changed in it. */
  String news() {
    return news;
  }

  boolean hasRegion() {
    return hasRegion;
  }

  static Release numbered(int number) {
    if (number < 1 || number > values().length) {
      throw new IllegalArgumentException("there is no release " + number);
    }
    return values()[number - 1];
  }
}
