package dev.zerodowntime.orchestrator.mysql;

/** What is spoken of as MySQL, but differs. */
enum Flavor {
  MYSQL("MySQL"),
  MARIADB("MariaDB");

  private final String title;

  Flavor(String title) {
    this.title = title;
  }

  /** Its name, for people. */
  String title() {
    return title;
  }
}
