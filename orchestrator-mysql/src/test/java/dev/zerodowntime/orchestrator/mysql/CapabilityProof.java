package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.mysql.Capability.Algorithm;
import dev.zerodowntime.orchestrator.mysql.Capability.Work;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlDatabase;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer;
import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Finds out on a server what it needs for a change. */
final class CapabilityProof {

  /** What says that an algorithm or a lock won't do; every other error is a broken experiment. */
  private static final Set<Integer> REFUSALS = Set.of(1221, 1845, 1846, 1915);

  private static final int FEWEST_ROWS = 2_000;
  private static final int MOST_ROWS = 512_000;

  /** Where the table is read and written, and nothing is waited for. */
  private static final Set<String> AT_WORK =
      Set.of(
          "altering table",
          "copy to tmp table",
          "alter table (read PK and internal sort)",
          "alter table (merge sort)",
          "alter table (insert)",
          "alter table (log apply index)",
          "alter table (log apply table)");

  private final MysqlServer server;

  CapabilityProof(MysqlServer server) {
    this.server = server;
  }

  /** One thing to try, from the best to the worst. */
  private record Way(Algorithm algorithm, boolean writes, String text) {}

  private List<Way> ways() {
    List<Way> ways = new ArrayList<>();
    if (server.flavor() == Flavor.MARIADB) {
      for (Algorithm each : Algorithm.values()) {
        ways.add(new Way(each, true, ", ALGORITHM=" + each + ", LOCK=NONE"));
      }
      for (Algorithm each : List.of(Algorithm.NOCOPY, Algorithm.INPLACE, Algorithm.COPY)) {
        ways.add(new Way(each, false, ", ALGORITHM=" + each + ", LOCK=SHARED"));
      }
    } else {
      // Together with LOCK=NONE it is refused, whatever is asked for.
      ways.add(new Way(Algorithm.INSTANT, true, ", ALGORITHM=INSTANT"));
      ways.add(new Way(Algorithm.INPLACE, true, ", ALGORITHM=INPLACE, LOCK=NONE"));
      ways.add(new Way(Algorithm.COPY, true, ", ALGORITHM=COPY, LOCK=NONE"));
      ways.add(new Way(Algorithm.INPLACE, false, ", ALGORITHM=INPLACE, LOCK=SHARED"));
      ways.add(new Way(Algorithm.COPY, false, ", ALGORITHM=COPY, LOCK=SHARED"));
    }
    return ways;
  }

  /**
   * Tries from the best way to the worst. Where the table or an index is written while others may
   * write, a write has to begin and end within that time; if the server was too quick for that, the
   * table was too small.
   */
  Capability find(Change change) throws Exception {
    Experiment experiment = Experiment.of(change, server.flavor());
    if (experiment.clause() == null) {
      return new Capability(change, null, true, Work.CATALOG);
    }
    for (int rows = FEWEST_ROWS; ; rows *= 4) {
      Seen seen = run(experiment, rows);
      Capability found = new Capability(change, seen.way.algorithm, seen.way.writes, seen.work);
      if (!found.writes() || found.work() == Work.CATALOG || seen.written > 0) {
        return found;
      }
      if (rows >= MOST_ROWS) {
        throw new AssertionError(
            change + ": " + seen.way.text + " was accepted, but no write was done meanwhile");
      }
    }
  }

  private record Seen(Way way, Work work, int written) {}

  private Seen run(Experiment experiment, int rows) throws Exception {
    try (MysqlDatabase database = MysqlDatabase.create(server, "capability")) {
      database.execute(Experiment.TABLE.toArray(String[]::new));
      database.execute(experiment.before().toArray(String[]::new));
      fill(database, rows);
      String table = tableId(database);
      Set<String> indexes = indexIds(database);
      try (Connection c = database.dataSource().getConnection();
          Statement alter = c.createStatement()) {
        for (String each : experiment.session()) {
          alter.execute(each);
        }
        long id;
        try (ResultSet row = alter.executeQuery("SELECT connection_id()")) {
          row.next();
          id = row.getLong(1);
        }
        SQLException refused = null;
        for (Way way : ways()) {
          Attempt attempt = attempt(database, alter, id, experiment.clause() + way.text);
          if (attempt.refused == null) {
            return new Seen(way, work(database, table, indexes), attempt.written);
          }
          refused = attempt.refused;
        }
        throw new IllegalStateException(experiment.clause() + " is not possible at all", refused);
      }
    }
  }

  private record Attempt(@Nullable SQLException refused, int written) {}

  private static Attempt attempt(MysqlDatabase database, Statement alter, long id, String clause)
      throws InterruptedException {
    AtomicBoolean over = new AtomicBoolean();
    ExecutorService thread = Executors.newSingleThreadExecutor();
    SQLException refused = null;
    try {
      CompletableFuture<Integer> writer =
          CompletableFuture.supplyAsync(() -> write(database, id, over), thread);
      try {
        alter.execute("ALTER TABLE t " + clause);
      } catch (SQLException e) {
        if (!REFUSALS.contains(e.getErrorCode())) {
          throw new IllegalStateException(
              clause + ": " + e.getErrorCode() + " " + e.getMessage(), e);
        }
        refused = e;
      } finally {
        over.set(true);
      }
      return new Attempt(refused, got(writer));
    } finally {
      thread.shutdown();
    }
  }

  private static int got(CompletableFuture<Integer> writer) throws InterruptedException {
    try {
      return writer.get();
    } catch (ExecutionException e) {
      throw new IllegalStateException("the writer failed", e.getCause());
    }
  }

  /** How many writes began and ended while the statement was at work, as the server says. */
  private static int write(MysqlDatabase database, long alter, AtomicBoolean over) {
    int within = 0;
    try (Connection c = database.dataSource().getConnection();
        Statement look = c.createStatement();
        PreparedStatement write = c.prepareStatement("UPDATE t SET parent = NULL WHERE id = ?")) {
      int key = 1;
      while (!over.get()) {
        if (atWork(look, alter)) {
          write.setInt(1, key++);
          write.executeUpdate();
          if (!over.get() && atWork(look, alter)) {
            within++;
          }
        }
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return within;
  }

  private static boolean atWork(Statement look, long id) throws SQLException {
    try (ResultSet row =
        look.executeQuery(
            "SELECT state FROM information_schema.processlist WHERE id = "
                + id
                + " AND info LIKE 'ALTER TABLE%'")) {
      return row.next() && AT_WORK.contains(row.getString(1));
    }
  }

  private static void fill(MysqlDatabase database, int rows) {
    database.execute(
        "INSERT INTO t (id, n, nullable, spare, short, edge, wide, kind, parent, pad) VALUES (1, 1,"
            + " 1, 1, 'w', 'e', 'w', 'a', 1, concat(repeat('x', 200), '1'))");
    for (int have = 1; have < rows; have *= 2) {
      database.execute(
          "INSERT INTO t (id, n, nullable, spare, short, edge, wide, kind, parent, pad) SELECT id + "
              + have
              + ", n, nullable, spare, short, edge, wide, kind, parent, concat(repeat('x', 200),"
              + " id + "
              + have
              + ") FROM t");
    }
  }

  private String of(String what) {
    return (server.flavor() == Flavor.MARIADB ? "innodb_sys_" : "innodb_") + what;
  }

  /** Changes when the table is written anew. */
  private String tableId(MysqlDatabase database) {
    return database
        .rows(
            "SELECT table_id FROM information_schema."
                + of("tables")
                + " WHERE name = '"
                + database.name()
                + "/t'")
        .get(0)
        .get(0);
  }

  private Set<String> indexIds(MysqlDatabase database) {
    Set<String> ids = new TreeSet<>();
    database
        .rows(
            "SELECT index_id FROM information_schema."
                + of("indexes")
                + " JOIN information_schema."
                + of("tables")
                + " USING (table_id) WHERE "
                + of("tables")
                + ".name LIKE '"
                + database.name()
                + "/t'")
        .forEach(row -> ids.add(row.get(0)));
    return ids;
  }

  private Work work(MysqlDatabase database, String table, Set<String> indexes) {
    if (!tableId(database).equals(table)) {
      return Work.TABLE;
    }
    return indexes.containsAll(indexIds(database)) ? Work.CATALOG : Work.INDEX;
  }
}
