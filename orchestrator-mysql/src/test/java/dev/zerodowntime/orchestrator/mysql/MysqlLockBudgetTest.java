package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.Blocker;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.LongStatements;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.spi.TableLock;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** DDL doesn't queue behind transactions, and nobody queues behind DDL for long. */
class MysqlLockBudgetTest {

  private static final Duration BUDGET = Duration.ofMillis(200);

  private static final String ALTER =
      "/* orchestrator test */ ALTER TABLE `na``me` ADD COLUMN c INT, ALGORITHM=INSTANT";

  private static MysqlDatabase database(MysqlServer.Flavor flavor) {
    MysqlDatabase database = MysqlDatabase.create(MysqlServer.get(flavor), "budget");
    database.execute(
        "CREATE TABLE `na``me` (id INT PRIMARY KEY, a INT)",
        "CREATE TABLE other (id INT PRIMARY KEY)",
        "INSERT INTO `na``me` VALUES (1, 1)");
    return database;
  }

  private static DdlStep step(MysqlDatabase database, boolean rowType) {
    String table = Sql.qualified(database.name(), "na`me");
    return new DdlStep(
        "add",
        "adds",
        TableLock.each("EXCLUSIVE", List.of(table)),
        List.of(rowType ? ALTER : ALTER.replace("ADD COLUMN c INT", "COMMENT 'c'")),
        Probes.NEVER,
        rowType);
  }

  private static MysqlVersion version(DataSource dataSource) throws SQLException {
    try (Connection connection = dataSource.getConnection()) {
      return MysqlVersion.of(connection);
    }
  }

  private static Connection reading(DataSource dataSource, String sql) throws SQLException {
    Connection connection = dataSource.getConnection();
    connection.setAutoCommit(false);
    try (Statement statement = connection.createStatement()) {
      statement.executeQuery(sql).close();
    }
    return connection;
  }

  private static String id(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT CONNECTION_ID()")) {
      row.next();
      return row.getString(1);
    }
  }

  /** A MariaDB tells who holds metadata locks only with a plugin that is not there by default. */
  @ParameterizedTest
  @EnumSource(
      value = MysqlServer.Flavor.class,
      names = {"MYSQL"})
  void anOldTransactionOnTheTableIsNamed(MysqlServer.Flavor flavor) throws SQLException {
    try (MysqlDatabase database = database(flavor);
        Connection reader = reading(database.dataSource(), "SELECT a FROM `na``me`");
        Connection elsewhere = reading(database.dataSource(), "SELECT * FROM other");
        Connection connection = database.dataSource().getConnection()) {
      MysqlLockBudget budget = new MysqlLockBudget(version(database.dataSource()));
      List<Blocker> blockers = budget.blockers(connection, step(database, false), Duration.ZERO);
      assertThat(blockers).extracting(Blocker::session).containsExactly(id(reader));
      assertThat(blockers.get(0).state()).isEqualTo("idle in transaction");
      assertThat(blockers.get(0).application()).startsWith("root@");
      assertThat(budget.blockers(connection, step(database, false), Duration.ofHours(1)))
          .as("it is younger than that")
          .isEmpty();
      assertThat(budget.blockers(connection, step(database, true), Duration.ZERO))
          .as("a snapshot from before would fail with 1412 on its first use of the table")
          .extracting(Blocker::session)
          .contains(id(reader), id(elsewhere));
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void nobodyQueuesBehindWhatWaits(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor);
        Connection reader = reading(database.dataSource(), "SELECT a FROM `na``me`");
        Connection connection = database.dataSource().getConnection()) {
      MysqlVersion version = version(database.dataSource());
      MysqlLockBudget budget = new MysqlLockBudget(version);
      LongStatements.Restore limits = new MysqlLongStatements(version).liftLimits(connection);
      budget.begin(connection, step(database, false), BUDGET);
      try (Statement statement = connection.createStatement()) {
        assertThatThrownBy(
                () ->
                    budget.execute(
                        statement, database.dataSource(), step(database, true), ALTER, BUDGET))
            .isInstanceOfSatisfying(
                SQLException.class,
                e ->
                    assertThat(MysqlErrors.classify(e))
                        .isIn(SqlErrorKind.CANCELLED, SqlErrorKind.LOCK_TIMEOUT));
        // The blocker is still there, and others go on.
        assertThat(database.rows("SELECT a FROM `na``me`").toString()).isEqualTo("[[1]]");
        assertThat(database.rows("SHOW COLUMNS FROM `na``me`")).hasSize(2);
        // The same session is fit for use, and nothing ends its next statements.
        reader.rollback();
        budget.execute(statement, database.dataSource(), step(database, true), ALTER, BUDGET);
        assertThat(database.rows("SHOW COLUMNS FROM `na``me`")).hasSize(3);
      }
      limits.close();
    }
  }

  /**
   * There is no moment in which nobody has it locked, and no transaction that is there for long.
   */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aTableThatIsAlwaysInUseIsChangedAllTheSame(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor);
        Connection connection = database.dataSource().getConnection()) {
      MysqlVersion version = version(database.dataSource());
      MysqlLockBudget budget = new MysqlLockBudget(version);
      AtomicBoolean over = new AtomicBoolean();
      CompletableFuture<Void> use =
          CompletableFuture.runAsync(() -> relay(database, version, over), Threads.ONE_EACH);
      LongStatements.Restore limits = new MysqlLongStatements(version).liftLimits(connection);
      budget.begin(connection, step(database, false), BUDGET);
      try (Statement statement = connection.createStatement()) {
        boolean changed = false;
        for (int attempt = 0; attempt < 50 && !changed && !use.isDone(); attempt++) {
          try {
            budget.execute(statement, database.dataSource(), step(database, true), ALTER, BUDGET);
            changed = true;
          } catch (SQLException e) {
            assertThat(MysqlErrors.classify(e))
                .isIn(SqlErrorKind.CANCELLED, SqlErrorKind.LOCK_TIMEOUT);
          }
        }
        assertThat(changed).isTrue();
      } finally {
        over.set(true);
      }
      use.get(60, TimeUnit.SECONDS);
      limits.close();
    }
  }

  /** Each transaction ends when the next one has begun, or has to wait. */
  private static void relay(MysqlDatabase database, MysqlVersion version, AtomicBoolean over) {
    String sql = "SELECT a FROM `na``me`";
    String waits =
        "SELECT COUNT(*) FROM "
            + MysqlControlSql.processes(version)
            + " WHERE STATE = 'Waiting for table metadata lock' AND ID = ";
    try {
      Connection holder = reading(database.dataSource(), sql);
      while (!over.get()) {
        Connection next = database.dataSource().getConnection();
        next.setAutoCommit(false);
        String id = id(next);
        CompletableFuture<Void> begun =
            CompletableFuture.runAsync(
                () -> {
                  try (Statement statement = next.createStatement()) {
                    statement.executeQuery(sql).close();
                  } catch (SQLException e) {
                    throw new IllegalStateException(e);
                  }
                },
                Threads.ONE_EACH);
        while (!over.get()
            && !begun.isDone()
            && database.rows(waits + id).toString().equals("[[0]]")) {
          Thread.onSpinWait();
        }
        holder.rollback();
        holder.close();
        begun.get(60, TimeUnit.SECONDS);
        holder = next;
      }
      holder.rollback();
      holder.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** A build waits for metadata locks when it begins: it is ended then as well. */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aLongStatementThatWaitsIsEnded(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor);
        Connection reader = reading(database.dataSource(), "SELECT a FROM `na``me`");
        Connection connection = database.dataSource().getConnection()) {
      MysqlVersion version = version(database.dataSource());
      MysqlLongStatements statements = new MysqlLongStatements(version);
      String build =
          "/* orchestrator build */ ALTER TABLE `na``me` ADD INDEX i (a), ALGORITHM=INPLACE, LOCK=NONE";
      try (Statement statement = connection.createStatement()) {
        // Far longer than the server's own limit of one second would need.
        statement.execute("SET SESSION lock_wait_timeout = 600");
        CompletableFuture<Void> running =
            CompletableFuture.runAsync(
                () -> {
                  try {
                    statements.execute(statement, database.dataSource(), build, BUDGET);
                  } catch (SQLException e) {
                    throw new IllegalStateException(e);
                  }
                },
                Threads.ONE_EACH);
        assertThatThrownBy(() -> running.get(60, TimeUnit.SECONDS))
            .isInstanceOf(ExecutionException.class)
            .isNotInstanceOf(TimeoutException.class)
            .rootCause()
            .isInstanceOfSatisfying(
                SQLException.class,
                e ->
                    assertThat(MysqlErrors.classify(e))
                        .isIn(SqlErrorKind.CANCELLED, SqlErrorKind.LOCK_TIMEOUT));
        assertThat(database.rows("SELECT a FROM `na``me`").toString()).isEqualTo("[[1]]");
        reader.rollback();
        statements.execute(statement, database.dataSource(), build, BUDGET);
        assertThat(database.rows("SHOW INDEX FROM `na``me`")).hasSize(2);
      }
    }
  }

  /** Of values that another index keeps apart, a duplicate is one that is gone by then. */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void aDuplicateThatCanNotBeIsTriedAgain(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor);
        Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      database.execute("INSERT INTO `na``me` VALUES (2, 1)");
      MysqlLongStatements statements = new MysqlLongStatements(version(database.dataSource()));
      Map<String, SqlErrorKind> expected =
          Map.of("", SqlErrorKind.DATA, MysqlLongStatements.NO_DUPLICATES, SqlErrorKind.DEADLOCK);
      for (Map.Entry<String, SqlErrorKind> each : expected.entrySet()) {
        String build =
            "/* orchestrator build */ ALTER TABLE `na``me` ADD "
                + each.getKey()
                + "UNIQUE KEY i (a), ALGORITHM=INPLACE, LOCK=NONE";
        assertThatThrownBy(
                () -> statements.execute(statement, database.dataSource(), build, BUDGET))
            .isInstanceOfSatisfying(
                SQLException.class,
                e -> assertThat(MysqlErrors.classify(e)).isEqualTo(each.getValue()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void theSessionLockIsTheSessions(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor);
        Connection one = database.dataSource().getConnection();
        Connection other = database.dataSource().getConnection()) {
      MysqlLongStatements statements = new MysqlLongStatements(version(database.dataSource()));
      assertThat(statements.holder(other, "key")).isEmpty();
      assertThat(statements.tryLock(one, "key")).isTrue();
      assertThat(statements.tryLock(other, "key")).isFalse();
      assertThat(statements.tryLock(other, "another")).isTrue();
      assertThat(statements.holder(other, "key"))
          .hasValueSatisfying(holder -> assertThat(holder.session()).isEqualTo(lastId(one)));
      statements.unlock(one, "key");
      assertThat(statements.tryLock(other, "key")).isTrue();
    }
  }

  private static String lastId(Connection connection) {
    try {
      return id(connection);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void theSessionsLimitsArePutBack(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase database = database(flavor);
        Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      MysqlVersion version = version(database.dataSource());
      statement.execute(
          "SET SESSION lock_wait_timeout = 77, innodb_lock_wait_timeout = 33, wait_timeout = 4321, "
              + MysqlControlSql.statementLimit(version)
              + " = 9");
      String before = settings(statement, version);
      LongStatements.Restore limits = new MysqlLongStatements(version).liftLimits(connection);
      assertThat(settings(statement, version)).isNotEqualTo(before);
      limits.close();
      assertThat(settings(statement, version)).isEqualTo(before);

      MysqlControlSql control = new MysqlControlSql(version);
      connection.setAutoCommit(false);
      for (String sql : control.begin(2_500, 6_000)) {
        statement.execute(sql);
      }
      assertThat(settings(statement, version)).startsWith("3 3 6 0");
      connection.rollback();
      for (String sql : control.end()) {
        statement.execute(sql);
      }
      assertThat(settings(statement, version)).isEqualTo(before);
    }
  }

  /** A session without foreign_key_checks would write what it likes. */
  @ParameterizedTest
  @EnumSource(MysqlServer.Flavor.class)
  void foreignKeyChecksAreOffForThatOneStatementAlone(MysqlServer.Flavor flavor)
      throws SQLException {
    try (MysqlDatabase database = database(flavor);
        Connection connection = database.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      MysqlVersion version = version(database.dataSource());
      MysqlLockBudget budget = new MysqlLockBudget(version);
      for (String before : List.of("1", "0")) {
        statement.execute("SET SESSION foreign_key_checks = " + before);
        LongStatements.Restore limits = new MysqlLongStatements(version).liftLimits(connection);
        budget.begin(connection, step(database, false), BUDGET);
        assertThat(checks(statement)).isEqualTo(before);
        DdlStep step = step(database, false);
        budget.begin(
            connection,
            new DdlStep(
                step.name(),
                step.summary(),
                step.locks(),
                List.of(MysqlLockBudget.UNCHECKED + step.sql().get(0)),
                step.done(),
                false),
            BUDGET);
        assertThat(checks(statement)).isEqualTo("0");
        limits.close();
        assertThat(checks(statement)).isEqualTo(before);
      }
    }
  }

  private static String checks(Statement statement) throws SQLException {
    try (ResultSet row = statement.executeQuery("SELECT @@session.foreign_key_checks")) {
      row.next();
      return row.getString(1);
    }
  }

  private static String settings(Statement statement, MysqlVersion version) throws SQLException {
    try (ResultSet row =
        statement.executeQuery(
            "SELECT CONCAT_WS(' ', @@session.lock_wait_timeout,"
                + " @@session.innodb_lock_wait_timeout, @@session.wait_timeout, @@session."
                + MysqlControlSql.statementLimit(version)
                + ")")) {
      row.next();
      return row.getString(1);
    }
  }
}
