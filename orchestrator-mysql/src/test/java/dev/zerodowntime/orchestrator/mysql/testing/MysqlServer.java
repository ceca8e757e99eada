package dev.zerodowntime.orchestrator.mysql.testing;

import com.mysql.cj.jdbc.MysqlDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * A server that the tests were given: a MySQL by {@code ORCHESTRATOR_TEST_MYSQL_URL} and a MariaDB
 * by {@code ORCHESTRATOR_TEST_MARIADB_URL}, each with {@code _USER} (root by default) and {@code
 * _PASSWORD}. {@code .ci/mysql-servers start} starts one of each on a Debian machine and prints the
 * settings.
 */
public final class MysqlServer {

  /** Set by whoever tried to get one in vain: the other one is required all the same. */
  private static final String UNAVAILABLE = "unavailable";

  /** What is spoken of as MySQL but differs. */
  public enum Flavor {
    MYSQL("MySQL"),
    MARIADB("MariaDB");

    private final String title;

    Flavor(String title) {
      this.title = title;
    }

    String variable() {
      return "ORCHESTRATOR_TEST_" + name() + "_URL";
    }
  }

  private final Flavor flavor;
  private final String url;
  private final String user;
  private final String password;
  private final String version;

  private MysqlServer(Flavor flavor, String url) throws SQLException {
    this.flavor = flavor;
    this.url = url;
    String prefix = "ORCHESTRATOR_TEST_" + flavor.name();
    String user = setting(prefix + "_USER");
    String password = setting(prefix + "_PASSWORD");
    this.user = user == null ? "root" : user;
    this.password = password == null ? "" : password;
    try (Connection c = dataSource(null).getConnection();
        Statement s = c.createStatement();
        ResultSet row = s.executeQuery("SELECT version()")) {
      row.next();
      this.version = row.getString(1);
    }
    boolean maria = version.contains("MariaDB");
    if (maria != (flavor == Flavor.MARIADB)) {
      throw new IllegalStateException(
          flavor.variable() + " = " + url + " leads to " + version + ", which is none");
    }
  }

  /**
   * The server of a flavor. Without one, the test is skipped, loudly; but a build server (CI=true)
   * fails, unless it says itself that it tried in vain to get a MySQL.
   */
  public static MysqlServer get(Flavor flavor) {
    String url = setting(flavor.variable());
    if (url == null || url.equals(UNAVAILABLE)) {
      String message =
          "NO "
              + flavor.title.toUpperCase(Locale.ROOT)
              + " FOR THE TESTS.\nREMEDY: name a server with "
              + flavor.variable()
              + "=jdbc:mysql://host:port/; on Debian, .ci/mysql-servers start starts one and prints"
              + " that.";
      System.err.println("!!!!\n!!!! " + message.replace("\n", "\n!!!! ") + "\n!!!!");
      boolean required = Boolean.parseBoolean(System.getenv("CI"));
      if (required && !(flavor == Flavor.MYSQL && UNAVAILABLE.equals(url))) {
        throw new IllegalStateException(message);
      }
      Assumptions.abort(message);
    }
    try {
      MysqlServer server = new MysqlServer(flavor, url);
      System.out.println("Tests use " + flavor.title + " " + server.version);
      return server;
    } catch (SQLException e) {
      throw new IllegalStateException(
          flavor.variable() + " = " + url + " does not answer: " + e.getMessage(), e);
    }
  }

  public Flavor flavor() {
    return flavor;
  }

  /** As the server says it. */
  public String version() {
    return version;
  }

  /** The release series, such as {@code MariaDB 10.11}. */
  public String series() {
    List<String> numbers = new ArrayList<>(List.of(version.split("[.-]")));
    return flavor.title + " " + numbers.get(0) + "." + numbers.get(1);
  }

  /** An unpooled source for a database of this server; null stands for none. */
  public MysqlDataSource dataSource(@Nullable String database) {
    MysqlDataSource source = new MysqlDataSource();
    // Beside a URL, the name of a database is ignored.
    String[] parts = url.split("\\?", 2);
    String server = parts[0].endsWith("/") ? parts[0] : parts[0] + "/";
    source.setUrl(
        server + (database == null ? "" : database) + (parts.length == 1 ? "" : "?" + parts[1]));
    source.setUser(user);
    source.setPassword(password);
    return source;
  }

  private static @Nullable String setting(String name) {
    String value = System.getProperty(name, System.getenv(name));
    return value == null || value.isBlank() ? null : value;
  }
}
