package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mysql.cj.jdbc.MysqlDataSource;
import dev.zerodowntime.orchestrator.EndBlockers;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.operation.AddColumn;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Sessions in the way of DDL are ended where somebody has said so, and no others. */
class MysqlEndBlockersTest {

  private static final EndBlockers SOON = EndBlockers.olderThan(Duration.ofMillis(300));

  private static final AddColumn COLUMN =
      AddColumn.of("billing/level").table("users").column("level", "int").build();

  private static MysqlDatabase database(MysqlServer.Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "end");
    database.execute(
        "CREATE TABLE users (id INT PRIMARY KEY)",
        "INSERT INTO users VALUES (1), (2), (3)",
        "CREATE USER " + user(database) + " IDENTIFIED BY 'x'",
        "GRANT ALL ON " + database.name() + ".* TO " + user(database));
    return database;
  }

  private static String user(MysqlDatabase database) {
    return "u" + Integer.toUnsignedString(database.name().hashCode(), 36);
  }

  /** In a transaction, with a snapshot: that is in the way of a column whoever tells of locks. */
  private static Connection application(
      MysqlServer.Flavor flavor, MysqlDatabase database, String... statements) throws SQLException {
    MysqlDataSource source = MysqlServer.get(flavor).dataSource(database.name());
    source.setUser(user(database));
    source.setPassword("x");
    Connection connection = source.getConnection();
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    connection.setAutoCommit(false);
    run(connection, statements);
    return connection;
  }

  private static void run(Connection connection, String... statements) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  private static Orchestrator member(MysqlDatabase database, EndBlockers policy) {
    Orchestrator member =
        Members.producing(database, "1")
            .endBlockers(policy)
            .thisBuild(COLUMN, AddColumn.Code.UNAWARE)
            .build();
    member.advance();
    member.adopted("billing");
    return member;
  }

  private static List<List<String>> ended(MysqlDatabase database) {
    return database.rows(
        "SELECT outcome, migration FROM zdo_event WHERE kind = 'END_SESSION' AND detail LIKE '%idle"
            + " in transaction%'");
  }

  private interface Attempt {
    boolean done();
  }

  private static void until(String what, Attempt attempt) {
    long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
    while (!attempt.done()) {
      assertThat(System.nanoTime()).as("still not: " + what).isLessThan(end);
    }
  }

  private static void leftAlone(
      MysqlServer.Flavor flavor, EndBlockers policy, String why, String... statements)
      throws SQLException {
    try (MysqlDatabase database = database(flavor);
        Connection inTheWay = application(flavor, database, statements);
        Orchestrator member = member(database, policy)) {
      until(
          "it says why",
          () -> {
            member.drive(Duration.ofMillis(200));
            return String.valueOf(database.rows("SELECT wait FROM zdo_migration")).contains(why);
          });
      run(inTheWay, "SELECT * FROM users");
      assertThat(ended(database)).isEmpty();
      inTheWay.rollback();
      run(inTheWay, "UNLOCK TABLES");
      database.execute("DROP USER " + user(database));
    }
  }

  /** A MariaDB without the plugin doesn't tell who has locked tables: so it is nobody. */
  @ParameterizedTest
  @EnumSource(names = "MARIADB")
  void whereLocksCannotBeSeenNobodyIsEnded(MysqlServer.Flavor flavor) throws SQLException {
    leftAlone(flavor, SOON, "INSTALL SONAME 'metadata_lock_info'", "SELECT * FROM users");
  }

  @ParameterizedTest
  @EnumSource(names = "MYSQL")
  void whoIsInTheWayForLongIsEndedAndWrittenDown(MysqlServer.Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor);
        Connection inTheWay = application(flavor, database, "SELECT * FROM users");
        Orchestrator member = member(database, SOON)) {
      until(
          "it is added",
          () ->
              !member
                  .drive(Duration.ofMillis(200))
                  .migration("billing/level")
                  .orElseThrow()
                  .phase()
                  .equals("NOT_STARTED"));
      assertThat(ended(database)).containsExactly(List.of("ENDED", "billing/level"));
      assertThatThrownBy(() -> run(inTheWay, "SELECT * FROM users"))
          .isInstanceOf(SQLException.class);
      database.execute("DROP USER " + user(database));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whoHasChangedMuchIsLeftAlone(MysqlServer.Flavor flavor) throws SQLException {
    leftAlone(
        flavor,
        SOON.mostRows(2),
        "rows, and would take them back",
        "SELECT * FROM users",
        "UPDATE users SET id = id + 10");
  }

  @ParameterizedTest
  @EnumSource
  void whoIsYoungerIsWaitedFor(MysqlServer.Flavor flavor) throws SQLException {
    leftAlone(
        flavor,
        EndBlockers.olderThan(Duration.ofMinutes(10)),
        "is ended when it is older than 600 s",
        "SELECT * FROM users");
  }

  /** On MariaDB only those are seen that have a snapshot, and LOCK TABLES ends it. */
  @ParameterizedTest
  @EnumSource(names = "MYSQL")
  void whoHasLockedTablesIsLeftAlone(MysqlServer.Flavor flavor) throws SQLException {
    leftAlone(
        flavor, SOON, "it has locked a table explicitly", "LOCK TABLES users READ", "SELECT 1");
  }
}
