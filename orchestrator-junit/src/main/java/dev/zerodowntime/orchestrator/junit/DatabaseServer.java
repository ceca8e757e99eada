package dev.zerodowntime.orchestrator.junit;

import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a server is, and who may create databases there. A value.
 *
 * @param url a JDBC URL of PostgreSQL, MySQL or MariaDB; the database that it names is connected to
 *     only to create others
 * @param user a user that may create and drop databases
 * @param password its password; may be empty
 */
public record DatabaseServer(String url, String user, String password) {

  private static final Pattern URL =
      Pattern.compile("(jdbc:(?:postgresql|mysql|mariadb)://[^/?]*/)([^/?]*)(\\?.*)?");

  /** Checks the URL. */
  public DatabaseServer {
    if (!URL.matcher(url).matches()) {
      throw new IllegalArgumentException(
          "\""
              + url.replaceAll("(?i)(password=)[^&]*", "$1…")
              + "\" is no URL of a server: write jdbc:postgresql://host:port/database,"
              + " jdbc:mysql://host:port/ or jdbc:mariadb://host:port/, with options behind a"
              + " question mark");
    }
    Objects.requireNonNull(user, "user");
    Objects.requireNonNull(password, "password");
  }

  /** The same server, another database. */
  DatabaseServer database(String name) {
    Matcher parts = URL.matcher(url);
    if (!parts.matches()) {
      throw new IllegalStateException(url);
    }
    return new DatabaseServer(
        parts.group(1) + name + Objects.requireNonNullElse(parts.group(3), ""), user, password);
  }

  boolean postgres() {
    return url.startsWith("jdbc:postgresql:");
  }

  @Override
  public String toString() {
    return url.replaceAll("(?i)(password=)[^&]*", "$1…") + " as " + user;
  }
}
