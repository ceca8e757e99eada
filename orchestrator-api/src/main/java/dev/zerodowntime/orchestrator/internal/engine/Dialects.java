package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.DatabaseException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.internal.control.Db;
import dev.zerodowntime.orchestrator.spi.Dialect;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Finds the one dialect for a database, and fails closed: no guess, no default. */
final class Dialects {

  private Dialects() {}

  static Dialect find(DataSource dataSource, @Nullable Dialect given) throws SQLException {
    String product = Db.autoCommit(dataSource, c -> c.getMetaData().getDatabaseProductName());
    if (given != null) {
      if (!given.matches(product)) {
        throw new DatabaseException(
            ErrorCode.NO_DIALECT,
            "The dialect for " + given.name() + " was given, but the database is " + product,
            "Give the builder the dialect for " + product + ", or none.",
            null);
      }
      return given;
    }
    List<Dialect> matching = new ArrayList<>();
    for (Dialect each : ServiceLoader.load(Dialect.class, Dialect.class.getClassLoader())) {
      if (each.matches(product)) {
        matching.add(each);
      }
    }
    if (matching.size() == 1) {
      return matching.get(0);
    }
    String artifact =
        product.equalsIgnoreCase("PostgreSQL")
            ? "dev.zerodowntime:orchestrator-postgres"
            : product.equalsIgnoreCase("MySQL") || product.equalsIgnoreCase("MariaDB")
                ? "dev.zerodowntime:orchestrator-mysql"
                : "an artifact with a dialect for it";
    throw new DatabaseException(
        ErrorCode.NO_DIALECT,
        matching.isEmpty()
            ? "No dialect for " + product + " was found"
            : "More than one dialect for " + product + " was found: " + classes(matching),
        matching.isEmpty()
            ? "Add " + artifact + " to the class path, or give the builder a dialect(...)."
            : "Leave one of the artifacts out, or give the builder a dialect(...).",
        null);
  }

  private static List<String> classes(List<Dialect> dialects) {
    return dialects.stream().map(each -> each.getClass().getName()).toList();
  }
}
