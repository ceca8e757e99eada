package dev.zerodowntime.orchestrator.junit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import javax.sql.DataSource;

/**
 * A schema as text, in the server's own words: tables with columns, constraints and indexes; views,
 * triggers, functions, types, sequences. The control tables, and the histories of Flyway and
 * Liquibase, are left out. Compared with a file that is checked in, it shows in review what a
 * change of migrations comes to. A value.
 *
 * <p>The text depends on the server's version: take the same for all who compare.
 */
public final class SchemaSnapshot {

  /** {@code -Dorchestrator.snapshot=write} writes files instead of comparing them. */
  static final String PROPERTY = "orchestrator.snapshot";

  private static final int MOST_SHOWN = 40;

  private final String text;

  private SchemaSnapshot(String text) {
    this.text = text;
  }

  /**
   * Reads the connection's current schema; on MySQL and MariaDB, its database.
   *
   * @param database the database
   * @return its schema
   */
  public static SchemaSnapshot of(DataSource database) {
    try (Connection connection = database.getConnection()) {
      String product = connection.getMetaData().getDatabaseProductName();
      List<String> lines =
          product.equals("PostgreSQL")
              ? PostgresSchema.lines(connection)
              : MysqlSchema.lines(connection);
      return new SchemaSnapshot(String.join("\n", lines) + "\n");
    } catch (SQLException e) {
      throw new IllegalStateException("The schema can't be read: " + e.getMessage(), e);
    }
  }

  /**
   * The text.
   *
   * @return lines, each with its end; the same for the same schema
   */
  public String text() {
    return text;
  }

  /**
   * Compares with a file that is checked in. With {@code -Dorchestrator.snapshot=write} writes it
   * instead. Where there is none, writes it and fails, so that somebody looks at it first.
   *
   * @param file such as {@code src/test/resources/schema.txt}
   * @throws AssertionError if it differs, with the lines that do
   */
  public void requireSame(Path file) {
    try {
      boolean there = Files.exists(file);
      if (!there || "write".equals(System.getProperty(PROPERTY))) {
        Path folder = file.toAbsolutePath().getParent();
        Files.createDirectories(Objects.requireNonNull(folder, "folder"));
        Files.writeString(file, text);
        if (!there) {
          throw new AssertionError(
              file + " was not there, and has been written: look at it, and check it in");
        }
        return;
      }
      // Whatever ends of lines the file was checked out with.
      String expected = Files.readString(file).replace("\r\n", "\n");
      if (!expected.equals(text)) {
        throw new AssertionError(
            "The schema differs from "
                + file
                + ":\n"
                + difference(expected.lines().toList(), text.lines().toList())
                + "\nIf it should, run the test once with -D"
                + PROPERTY
                + "=write, and check the file in.");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(file + " can't be read or written", e);
    }
  }

  /** What is in one and not in the other; where that is nothing, the order differs. */
  private static String difference(List<String> expected, List<String> found) {
    List<String> gone = new ArrayList<>(expected);
    found.forEach(gone::remove);
    List<String> added = new ArrayList<>(found);
    expected.forEach(added::remove);
    List<String> lines = new ArrayList<>();
    gone.forEach(each -> lines.add("- " + each));
    added.forEach(each -> lines.add("+ " + each));
    if (lines.isEmpty()) {
      return "the same lines, in another order";
    }
    int more = lines.size() - MOST_SHOWN;
    return String.join("\n", more > 0 ? lines.subList(0, MOST_SHOWN) : lines)
        + (more > 0 ? "\nand " + more + " more" : "");
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof SchemaSnapshot that && text.equals(that.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  @Override
  public String toString() {
    return text;
  }
}
