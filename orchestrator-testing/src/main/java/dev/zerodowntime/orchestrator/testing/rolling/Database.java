package dev.zerodowntime.orchestrator.testing.rolling;

import com.zaxxer.hikari.HikariConfig;
import java.util.List;
import javax.sql.DataSource;

/** One roll-out's database. Dropped by {@link #close}. Thread-safe. */
public interface Database extends AutoCloseable {

  /** Unpooled, for jobs. */
  DataSource dataSource();

  /**
   * How a pod's pool connects.
   *
   * @param safe whether its driver survives a changed row type
   */
  HikariConfig pool(boolean safe);

  /** Runs statements one after the other, each committed on its own. */
  void execute(String... statements);

  /** All rows, each a list of its columns as text. */
  List<List<String>> rows(String sql);

  /** The number in the only row. */
  default long number(String sql) {
    return Long.parseLong(rows(sql).get(0).get(0));
  }

  /** What a control table is called. */
  String control(String table);

  /**
   * Has whoever changes rows in a batch noted in a control table {@code walked}, with columns
   * {@code step}, {@code started} (when the backfill began) and {@code member}.
   */
  void watchWorkers();

  /**
   * Takes the gate away, to see that it is the gate that keeps queries from failing: makes every
   * stage fit every phase. Spans are data in the migration's row, and everybody who registers or
   * drives goes by them; a trigger keeps the lie up when they are written anew.
   */
  void disableGate();

  @Override
  void close();
}
