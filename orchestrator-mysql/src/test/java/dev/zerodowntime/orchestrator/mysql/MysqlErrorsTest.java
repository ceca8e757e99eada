package dev.zerodowntime.orchestrator.mysql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import dev.zerodowntime.orchestrator.testing.Threads;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MysqlErrorsTest {

  @ParameterizedTest
  @EnumSource
  void dataIsInTheWay(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "errors")) {
      db.execute(
          "CREATE TABLE parent (id int PRIMARY KEY)",
          "CREATE TABLE t (id int PRIMARY KEY, n tinyint NOT NULL, s varchar(3), d date, e"
              + " enum('a'), p int REFERENCES parent (id), u int UNIQUE, big bigint unsigned,"
              + " CONSTRAINT positive CHECK (n > 0), FOREIGN KEY (p) REFERENCES parent (id))",
          "INSERT INTO parent VALUES (1), (2)",
          "INSERT INTO t (id, n, p, u, big) VALUES (1, 1, 1, 1, 1)",
          "CREATE TRIGGER tr BEFORE DELETE ON t FOR EACH ROW SIGNAL SQLSTATE '45000' SET"
              + " MESSAGE_TEXT = 'never'");
      for (String sql :
          List.of(
              "UPDATE t SET n = NULL",
              "INSERT INTO t (id, n) VALUES (1, 1)",
              "INSERT INTO t (id) VALUES (9)",
              "UPDATE t SET n = 1000",
              "UPDATE t SET e = 'b'",
              "UPDATE t SET d = '2024-02-31'",
              "UPDATE t SET n = 'x'",
              "UPDATE t SET s = 'abcd'",
              "UPDATE t SET u = 1 DIV 0",
              "DELETE FROM parent",
              "UPDATE t SET p = 7",
              "DELETE FROM t",
              "UPDATE t SET big = big - 2",
              "UPDATE t SET n = -1",
              "UPDATE t SET u = (SELECT id FROM parent)")) {
        assertThat(kindOf(db, sql)).as(sql).isEqualTo(SqlErrorKind.DATA);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void theStatementIsWrong(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "errors")) {
      db.execute("CREATE TABLE a (x int)", "CREATE TABLE b (x int)", "INSERT INTO a VALUES (1)");
      assertThat(kindOf(db, "SELECT x FROM a JOIN b")).isEqualTo(SqlErrorKind.OTHER);
      assertThat(kindOf(db, "SELECT y FROM a")).isEqualTo(SqlErrorKind.OTHER);
      assertThat(kindOf(db, "SELEC")).isEqualTo(SqlErrorKind.OTHER);
      assertThat(kindOf(db, "INSERT INTO a VALUES (1, 2)")).isEqualTo(SqlErrorKind.OTHER);
      assertThat(kindOf(db, "SELECT * FROM nothing")).isEqualTo(SqlErrorKind.UNDEFINED_TABLE);
      assertThat(kindOf(db, "SELECT * FROM `no such`.nothing"))
          .isEqualTo(SqlErrorKind.UNDEFINED_TABLE);
      assertThat(kindOf(db, "DROP TABLE nothing")).isEqualTo(SqlErrorKind.UNDEFINED_TABLE);
      assertThat(kindOf(db, "USE `no such`")).isEqualTo(SqlErrorKind.UNDEFINED_TABLE);
      assertThat(kindOf(db, "START TRANSACTION READ ONLY", "INSERT INTO a VALUES (1)"))
          .isEqualTo(SqlErrorKind.READ_ONLY);
    }
  }

  @ParameterizedTest
  @EnumSource
  void othersAreInTheWay(MysqlServer.Flavor flavor) throws Exception {
    try (MysqlDatabase db = MysqlDatabase.create(MysqlServer.get(flavor), "errors")) {
      db.execute("CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1,1), (2,2)");
      try (Connection other = db.dataSource().getConnection();
          Statement holder = other.createStatement()) {
        other.setAutoCommit(false);
        holder.execute("UPDATE t SET n = 9 WHERE id = 1");
        assertThat(kindOf(db, "SELECT * FROM t WHERE id = 1 FOR UPDATE NOWAIT"))
            .isEqualTo(SqlErrorKind.LOCK_TIMEOUT);
        assertThat(
                kindOf(
                    db,
                    "SET SESSION innodb_lock_wait_timeout = 1",
                    "UPDATE t SET n = 3 WHERE id = 1"))
            .isEqualTo(SqlErrorKind.LOCK_TIMEOUT);
        assertThat(kindOf(db, "SET SESSION lock_wait_timeout = 1", "ALTER TABLE t ADD c int"))
            .isEqualTo(SqlErrorKind.LOCK_TIMEOUT);
        assertThat(deadlock(db, other)).isEqualTo(SqlErrorKind.DEADLOCK);
      }
    }
  }

  /** Both wait for each other: one of them is the victim. */
  private static SqlErrorKind deadlock(MysqlDatabase db, Connection other) throws Exception {
    try (Connection mine = db.dataSource().getConnection();
        Statement s = mine.createStatement();
        Statement o = other.createStatement()) {
      mine.setAutoCommit(false);
      s.execute("UPDATE t SET n = 8 WHERE id = 2");
      CompletableFuture<SqlErrorKind> first =
          CompletableFuture.supplyAsync(
              () -> kind(o, "UPDATE t SET n = 9 WHERE id = 2"), Threads.ONE_EACH);
      SqlErrorKind second = kind(s, "UPDATE t SET n = 8 WHERE id = 1");
      mine.rollback();
      SqlErrorKind kind = first.get() == null ? second : first.get();
      assertThat(first.get() == null || second == null).isTrue();
      return kind;
    }
  }

  @ParameterizedTest
  @EnumSource
  void itWasEndedOrMayNot(MysqlServer.Flavor flavor) throws Exception {
    MysqlServer server = MysqlServer.get(flavor);
    try (MysqlDatabase db = MysqlDatabase.create(server, "errors")) {
      db.execute("CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1), (2), (3)");
      boolean maria = flavor == MysqlServer.Flavor.MARIADB;
      assertThat(
              kindOf(
                  db,
                  maria
                      ? "SET SESSION max_statement_time = 0.05"
                      : "SET SESSION max_execution_time = 50",
                  // SLEEP is not an error on MySQL, only cut short.
                  "SELECT count(*) FROM information_schema.collations a,"
                      + " information_schema.collations b, information_schema.collations c,"
                      + " information_schema.collations d"))
          .isEqualTo(SqlErrorKind.CANCELLED);
      try (Connection c = db.dataSource().getConnection();
          Statement s = c.createStatement()) {
        s.setQueryTimeout(1);
        assertThat(kind(s, "UPDATE t SET id = id + sleep(5) + 10"))
            .isEqualTo(SqlErrorKind.CANCELLED);
      }
      try (Connection c = db.dataSource().getConnection();
          Statement s = c.createStatement()) {
        assertThat(kind(s, "KILL CONNECTION_ID()"))
            .isIn(SqlErrorKind.CONNECTION_LOST, SqlErrorKind.CANCELLED);
        assertThat(kind(s, "SELECT 1")).isEqualTo(SqlErrorKind.CONNECTION_LOST);
      }
      String user = db.name() + "_u";
      db.execute("CREATE USER " + user + " IDENTIFIED BY 'x'");
      try {
        db.execute("GRANT SELECT ON " + db.name() + ".* TO " + user);
        try (Connection c = server.dataSource(db.name()).getConnection(user, "x");
            Statement s = c.createStatement()) {
          for (String sql :
              List.of(
                  "DELETE FROM t",
                  "ALTER TABLE t ADD n int",
                  "SET GLOBAL max_connections = 10",
                  "SELECT * FROM mysql.user",
                  "USE mysql",
                  "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = 1")) {
            assertThat(kind(s, sql)).as(sql).isEqualTo(SqlErrorKind.PRIVILEGE);
          }
        }
        SQLException denied =
            catchThrowableOfType(
                SQLException.class, () -> server.dataSource(null).getConnection(user, "y"));
        assertThat(MysqlErrors.classify(denied)).isEqualTo(SqlErrorKind.PRIVILEGE);
      } finally {
        db.execute("DROP USER " + user);
      }
    }
  }

  @Test
  void whatCannotBeProvokedHere() {
    assertThat(classify("HY000", 1020)).isEqualTo(SqlErrorKind.DEADLOCK);
    assertThat(classify("40001", 7)).isEqualTo(SqlErrorKind.DEADLOCK);
    assertThat(classify("08S01", 0)).isEqualTo(SqlErrorKind.CONNECTION_LOST);
    for (int number : new int[] {1053, 4031, 2006, 2013, 1927}) {
      assertThat(classify("HY000", number)).isEqualTo(SqlErrorKind.CONNECTION_LOST);
    }
    assertThat(classify("HY000", 1419)).isEqualTo(SqlErrorKind.PRIVILEGE);
    assertThat(classify("HY000", 1836)).isEqualTo(SqlErrorKind.READ_ONLY);
    assertThat(
            MysqlErrors.classify(
                new SQLException(
                    "The MySQL server is running with the --super-read-only option so it cannot"
                        + " execute this statement",
                    "HY000",
                    1290)))
        .isEqualTo(SqlErrorKind.READ_ONLY);
    assertThat(
            MysqlErrors.classify(
                new SQLException(
                    "The MySQL server is running with the --secure-file-priv option so it cannot"
                        + " execute this statement",
                    "HY000",
                    1290)))
        .isEqualTo(SqlErrorKind.OTHER);
    assertThat(classify("22032", 3141)).isEqualTo(SqlErrorKind.DATA);
    assertThat(classify(null, 0)).isEqualTo(SqlErrorKind.OTHER);
    assertThat(MysqlErrors.classify(new SQLTransientConnectionException("the pool is empty")))
        .isEqualTo(SqlErrorKind.CONNECTION_LOST);
    assertThat(
            MysqlErrors.classify(
                new SQLException("wrapped", new SQLException("inner", "HY000", 1205))))
        .isEqualTo(SqlErrorKind.LOCK_TIMEOUT);
  }

  private static SqlErrorKind classify(String state, int number) {
    return MysqlErrors.classify(new SQLException("said so", state, number));
  }

  /** Executes statements in a session of their own; the last one fails. */
  private static SqlErrorKind kindOf(MysqlDatabase db, String... statements) throws SQLException {
    try (Connection c = db.dataSource().getConnection();
        Statement s = c.createStatement()) {
      for (int i = 0; i < statements.length - 1; i++) {
        s.execute(statements[i]);
      }
      return kind(s, statements[statements.length - 1]);
    }
  }

  private static SqlErrorKind kind(Statement statement, String sql) {
    try {
      statement.execute(sql);
      return null;
    } catch (SQLException e) {
      return MysqlErrors.classify(e);
    }
  }
}
