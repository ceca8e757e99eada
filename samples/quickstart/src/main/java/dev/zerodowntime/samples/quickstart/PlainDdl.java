package dev.zerodowntime.samples.quickstart;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;

/** The usual way: a script that runs right before the release which needs it. */
final class PlainDdl implements SchemaChange {

  private final DataSource database;
  private final Console console;

  PlainDdl(DataSource database, Console console) {
    this.database = database;
    this.console = console;
  }

  @Override
  public void before(Release from, Release to) throws SQLException {
    String sql = script(from, to);
    if (sql.isEmpty()) {
      return;
    }
    console.say("%s", sql);
    long start = System.nanoTime();
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
    console.say("... took %,d ms", (System.nanoTime() - start) / 1_000_000);
  }

  private static String script(Release from, Release to) {
    if (to.ordinal() < from.ordinal()) {
      return "ALTER TABLE customers RENAME COLUMN full_name TO name";
    }
    return switch (to) {
      // A default that differs from row to row: the table is rewritten under the strongest lock.
      case V2 ->
          "ALTER TABLE customers ADD COLUMN public_id "
              + Product.current().uuidType()
              + " NOT NULL DEFAULT ("
              + Product.current().newUuid()
              + ")";
      // The pods that still run know the old name only.
      case V3 -> "ALTER TABLE customers RENAME COLUMN name TO full_name";
      // The pods that still run write it.
      case V4 -> "ALTER TABLE customers DROP COLUMN fax";
      // Nobody writes while it is built.
      case V5 -> "CREATE INDEX customers_by_public_id ON customers (public_id)";
      default -> "";
    };
  }

  @Override
  public void everyPodHasLibrary() {
    // These pods have none.
  }

  @Override
  public void finish() {
    // Every script has waited for itself, and everybody for it.
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
