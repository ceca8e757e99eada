package dev.zerodowntime.orchestrator.mysql;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which server it is.
 *
 * @param flavor MySQL or MariaDB
 * @param major 8
 * @param minor 4
 * @param patch 7
 * @param text as the server says it
 * @param performanceSchema whether its performance_schema is on
 */
record MysqlVersion(
    Flavor flavor, int major, int minor, int patch, String text, boolean performanceSchema) {

  private static final Pattern NUMBERS = Pattern.compile("(\\d+)\\.(\\d+)(?:\\.(\\d+))?.*");

  /** Asks a server. */
  static MysqlVersion of(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT VERSION(), @@version_comment, @@global.performance_schema")) {
      row.next();
      return of(row.getString(1), row.getString(2), row.getBoolean(3));
    }
  }

  static MysqlVersion of(String version, String comment, boolean performanceSchema) {
    // Drivers show a MariaDB as 5.5.5-10.11.6-MariaDB; the server itself doesn't.
    Matcher numbers = NUMBERS.matcher(version.replaceFirst("^5\\.5\\.5-", ""));
    boolean maria = (version + " " + comment).toLowerCase(java.util.Locale.ROOT).contains("maria");
    if (!numbers.matches()) {
      return new MysqlVersion(
          maria ? Flavor.MARIADB : Flavor.MYSQL, 0, 0, 0, version, performanceSchema);
    }
    return new MysqlVersion(
        maria ? Flavor.MARIADB : Flavor.MYSQL,
        Integer.parseInt(numbers.group(1)),
        Integer.parseInt(numbers.group(2)),
        numbers.group(3) == null ? 0 : Integer.parseInt(numbers.group(3)),
        version,
        performanceSchema);
  }

  boolean mariadb() {
    return flavor == Flavor.MARIADB;
  }

  boolean atLeast(int wantedMajor, int wantedMinor, int wantedPatch) {
    if (major != wantedMajor) {
      return major > wantedMajor;
    }
    if (minor != wantedMinor) {
      return minor > wantedMinor;
    }
    return patch >= wantedPatch;
  }

  /** The release series, as {@link Capabilities} names it: {@code MariaDB 10.11}. */
  String series() {
    return flavor.title() + " " + major + "." + minor;
  }

  /** For people. */
  @Override
  public String toString() {
    return flavor.title() + " " + text;
  }
}
