package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresServer;
import dev.zerodowntime.orchestrator.postgres.testing.PostgresSpelling;
import dev.zerodowntime.orchestrator.testing.Spelling;
import dev.zerodowntime.orchestrator.testing.crash.Dump;
import dev.zerodowntime.orchestrator.testing.crash.Product;
import dev.zerodowntime.orchestrator.testing.crash.Server;
import dev.zerodowntime.orchestrator.testing.crash.Subject;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.postgresql.ds.PGSimpleDataSource;

/** PostgreSQL, for the proofs that all databases have in common. */
public final class PostgresProduct implements Product {

  private final Spelling sql = new PostgresSpelling();

  @Override
  public String title() {
    try (Connection connection = source(null).getConnection()) {
      return "PostgreSQL " + connection.getMetaData().getDatabaseProductVersion();
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public Spelling sql() {
    return sql;
  }

  @Override
  public String control(String table) {
    return "orchestrator." + table;
  }

  @Override
  public Map<String, String> keys() {
    String texts = "CASE i % 3 WHEN 0 THEN 'Ä' WHEN 1 THEN 'a' ELSE 'Z' END || i";
    Map<String, String> keys = new LinkedHashMap<>();
    keys.put("k bigint PRIMARY KEY", "(i - 200) * 3000000000");
    keys.put("k uuid PRIMARY KEY", "md5(i::text)::uuid");
    keys.put("k text COLLATE \"C\" PRIMARY KEY", texts);
    keys.put("k text COLLATE \"en-x-icu\" PRIMARY KEY", texts);
    keys.put("l text DEFAULT 'x', k numeric, PRIMARY KEY (l, k)", "i / 7.0");
    keys.put("k timestamptz NOT NULL UNIQUE", "now() + i * interval '1 month'");
    return keys;
  }

  /** All operations take longer than a build may. */
  @Override
  public int days() {
    return 3;
  }

  @Override
  public List<Subject<?>> subjects() {
    return Subjects.all();
  }

  @Override
  public List<String> tables() {
    return Application.tables();
  }

  @Override
  public String insert(Subject.Row row, long from, long to) {
    return "INSERT INTO users (%s) SELECT %s FROM generate_series(%d, %d) i"
        .formatted(row.columns(), row.values(), from, to);
  }

  @Override
  public List<String> analyze() {
    return List.of("ANALYZE");
  }

  @Override
  public DataSource dataSource(String database) {
    return source(database);
  }

  static PGSimpleDataSource source(String database) {
    PGSimpleDataSource source = PostgresServer.get().dataSource(database);
    // A driver that survives a column of another type: nothing here is about drivers.
    source.setPrepareThreshold(0);
    return source;
  }

  @Override
  public long session(Connection raw) throws SQLException {
    return raw.unwrap(PGConnection.class).getBackendPID();
  }

  @Override
  public Server server() throws SQLException {
    return new PostgresHand();
  }

  @Override
  public Optional<String> holdsUp(String sql) {
    return sql.matches("(/\\*.*\\*/ )?(CREATE|DROP) INDEX CONCURRENTLY.*")
        ? Optional.of("LOCK TABLE " + Subject.TABLE + " IN ROW EXCLUSIVE MODE")
        : Optional.empty();
  }

  @Override
  public List<String> dump(Statement statement, Dump.Part part) throws SQLException {
    return Readings.of(statement, part);
  }
}
