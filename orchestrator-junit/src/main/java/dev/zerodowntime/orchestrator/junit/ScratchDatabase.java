package dev.zerodowntime.orchestrator.junit;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A new, empty database for each test method that has a parameter of type {@link DataSource}, or
 * for each such parameter; dropped afterwards. Register it with {@code @RegisterExtension}. It
 * needs no more than a server: a container's, an embedded one's, or one that is there.
 *
 * <p>Thread-safe: tests that run at once have databases of their own.
 */
public final class ScratchDatabase implements BeforeEachCallback, ParameterResolver {

  private static final Namespace NAMESPACE = Namespace.create(ScratchDatabase.class);

  private final Supplier<DatabaseServer> start;

  private ScratchDatabase(Supplier<DatabaseServer> start) {
    this.start = start;
  }

  /**
   * On a server that is there.
   *
   * @param url a JDBC URL of PostgreSQL, MySQL or MariaDB
   * @param user a user that may create and drop databases
   * @param password its password; may be empty
   * @return an extension
   * @throws IllegalArgumentException if the URL can't be understood
   */
  public static ScratchDatabase on(String url, String user, String password) {
    DatabaseServer server = new DatabaseServer(url, user, password);
    return new ScratchDatabase(() -> server);
  }

  /**
   * On a server that is started when the first test needs it, such as a container. Whoever starts
   * it ends it. An assumption that fails there skips the test.
   *
   * @param start called once for each class of tests; may return the same server for all
   * @return an extension
   */
  public static ScratchDatabase on(Supplier<DatabaseServer> start) {
    return new ScratchDatabase(start);
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == DataSource.class;
  }

  /** Before parameters are resolved: from there, an assumption that fails would be an error. */
  @Override
  public void beforeEach(ExtensionContext context) {
    Class<?>[] parameters = context.getRequiredTestMethod().getParameterTypes();
    if (List.of(parameters).contains(DataSource.class)) {
      server(context);
    }
  }

  private DatabaseServer server(ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .getOrComputeIfAbsent(this, key -> start.get(), DatabaseServer.class);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    DatabaseServer server = server(context);
    Created created =
        new Created(server, "scratch_" + UUID.randomUUID().toString().replace('-', '_'));
    DataSource database = created.open();
    context.getStore(NAMESPACE).put(created, created);
    return database;
  }

  /**
   * Ended with the test's context: by its one name in older versions of JUnit 5, and its other in
   * newer ones.
   */
  @SuppressWarnings("deprecation") // its successor is not in all of JUnit 5
  private record Created(DatabaseServer server, String name)
      implements ExtensionContext.Store.CloseableResource, AutoCloseable {

    DataSource open() {
      execute("CREATE DATABASE " + name);
      return new DriverDataSource(server.database(name));
    }

    @Override
    public void close() {
      if (server.postgres()) {
        // Somebody may still be connected to it.
        execute("DROP DATABASE " + name + " WITH (FORCE)");
      } else {
        // A test may have left a transaction open; by default that is waited for for a day or more.
        execute("SET SESSION lock_wait_timeout = 10", "DROP DATABASE " + name);
      }
    }

    private void execute(String... statements) {
      String sql = statements[statements.length - 1];
      try (Connection connection = new DriverDataSource(server).getConnection();
          Statement statement = connection.createStatement()) {
        for (String each : statements) {
          statement.execute(each);
        }
      } catch (SQLException e) {
        throw new IllegalStateException(
            "\""
                + sql
                + "\" failed on "
                + server
                + ": "
                + e.getMessage()
                + ". The server must be up, and the user may create databases.",
            e);
      }
    }
  }
}
