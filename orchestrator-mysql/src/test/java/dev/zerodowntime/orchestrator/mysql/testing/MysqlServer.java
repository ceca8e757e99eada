package dev.zerodowntime.orchestrator.mysql.testing;

import com.mysql.cj.jdbc.MysqlDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * The servers that all tests of a JVM share. In this order: those that were given, a MySQL by
 * {@code ORCHESTRATOR_TEST_MYSQL_URL} and a MariaDB by {@code ORCHESTRATOR_TEST_MARIADB_URL}, each
 * with {@code _USER} (root by default) and {@code _PASSWORD}; {@linkplain MysqlContainers
 * containers}, where Docker answers. There is no embedded one: of what Maven artifacts hold,
 * MariaDB 11.4.5 fails INSERT ... SELECT into a table with a BEFORE UPDATE trigger, and 10.11.5
 * does not quote names in SHOW CREATE TABLE. {@code .ci/mysql-servers start} starts one of each on
 * a Debian machine and prints the settings.
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

  private static final Map<Flavor, MysqlServer> STARTED = new EnumMap<>(Flavor.class);
  private static final Map<Flavor, String> WITHOUT = new EnumMap<>(Flavor.class);

  private final Flavor flavor;
  private final String url;
  private final String user;
  private final String password;
  private final String version;

  private MysqlServer(Flavor flavor, String url, String user, String password, String origin) {
    this.flavor = flavor;
    this.url = url;
    this.user = user;
    this.password = password;
    try (Connection c = dataSource(null).getConnection();
        Statement s = c.createStatement();
        ResultSet row = s.executeQuery("SELECT version()")) {
      row.next();
      this.version = row.getString(1);
    } catch (SQLException e) {
      throw new IllegalStateException(
          flavor.title + ", " + origin + ", does not answer: " + e.getMessage(), e);
    }
    boolean maria = version.contains("MariaDB");
    if (maria != (flavor == Flavor.MARIADB)) {
      throw new IllegalStateException(
          url + ", " + origin + ", leads to " + version + ", which is no " + flavor.title);
    }
    System.out.println("Tests use " + flavor.title + " " + version + ", " + origin);
  }

  /**
   * The server of a flavor. Without one, the test is skipped, loudly; but a build server (CI=true)
   * fails, unless it says itself that it tried in vain to get a MySQL.
   */
  public static synchronized MysqlServer get(Flavor flavor) {
    MysqlServer known = STARTED.get(flavor);
    if (known == null && !WITHOUT.containsKey(flavor)) {
      String why = "";
      try {
        known = choose(flavor);
      } catch (Exception | LinkageError e) {
        why = " (" + e + ")";
      }
      if (known == null) {
        WITHOUT.put(flavor, why);
      } else {
        STARTED.put(flavor, known);
      }
    }
    if (known != null) {
      return known;
    }
    String message =
        "NO "
            + flavor.title.toUpperCase(Locale.ROOT)
            + " FOR THE TESTS"
            + WITHOUT.get(flavor)
            + ".\nREMEDY: name a server with "
            + flavor.variable()
            + "=jdbc:mysql://host:port/, or start Docker; on Debian, .ci/mysql-servers start starts"
            + " one and prints that.";
    System.err.println("!!!!\n!!!! " + message.replace("\n", "\n!!!! ") + "\n!!!!");
    boolean required =
        Boolean.parseBoolean(System.getenv("CI")) || setting(flavor.variable()) != null;
    if (required && !(flavor == Flavor.MYSQL && UNAVAILABLE.equals(setting(flavor.variable())))) {
      throw new IllegalStateException(message);
    }
    return Assumptions.abort(message);
  }

  private static @Nullable MysqlServer choose(Flavor flavor) throws Exception {
    String given = setting(flavor.variable());
    if (given != null) {
      if (given.equals(UNAVAILABLE)) {
        return null;
      }
      String user = setting("ORCHESTRATOR_TEST_" + flavor.name() + "_USER");
      String password = setting("ORCHESTRATOR_TEST_" + flavor.name() + "_PASSWORD");
      return new MysqlServer(
          flavor,
          given,
          user == null ? "root" : user,
          password == null ? "" : password,
          "given by " + flavor.variable());
    }
    if (MysqlContainers.possible()) {
      return new MysqlServer(
          flavor,
          MysqlContainers.start(flavor),
          "root",
          MysqlContainers.PASSWORD,
          "in a container");
    }
    return null;
  }

  public Flavor flavor() {
    return flavor;
  }

  /** Its JDBC URL, of no database. */
  public String url() {
    return url;
  }

  public String user() {
    return user;
  }

  public String password() {
    return password;
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
    try {
      // Tests open many sessions, and a handshake takes longer than most of what they do.
      source.setSslMode("DISABLED");
      source.setAllowPublicKeyRetrieval(true);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return source;
  }

  /**
   * As {@link #dataSource(String)}, with further options of the driver, such as {@code a=1&b=2}.
   */
  public MysqlDataSource dataSource(String database, String options) {
    MysqlDataSource source = dataSource(database);
    if (!options.isEmpty()) {
      source.setUrl(source.getUrl() + (source.getUrl().contains("?") ? "&" : "?") + options);
    }
    return source;
  }

  private static @Nullable String setting(String name) {
    String value = System.getProperty(name, System.getenv(name));
    return value == null || value.isBlank() ? null : value;
  }
}
