package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * What the user of the connection may do, by its own grants and those of its active roles: asked
 * before anything is touched, for the server says so only in the middle.
 */
final class Privileges {

  private final Catalog catalog;
  private final Grants grants;

  private Privileges(Catalog catalog, Grants grants) {
    this.catalog = catalog;
    this.grants = grants;
  }

  static Privileges of(Catalog catalog) throws SQLException {
    return new Privileges(catalog, Grants.of(catalog.version(), catalog.connection()));
  }

  /** The same for a right that is had on a database. */
  void requireOnDatabase(String schema, String right) throws SQLException {
    if (!grants.has(right, schema, "")) {
      throw catalog.forbid(
          "user " + catalog.user() + " has no " + right + " on database " + Sql.quote(schema),
          "GRANT " + right + " ON " + Sql.quote(schema) + ".* TO " + grants.grantee() + ";");
    }
  }

  /** The same for a right that is had on everything. */
  void requireGlobal(String right, String otherwise) throws SQLException {
    if (!grants.has(right, "", "")) {
      throw catalog.forbid(
          "user " + catalog.user() + " has no " + right,
          "GRANT " + right + " ON *.* TO " + grants.grantee() + "; " + otherwise);
    }
  }

  /** Refuses where one is missing, and says how it is granted. */
  void require(CatalogTable table, String... rights) throws SQLException {
    List<String> missing = new ArrayList<>();
    for (String right : rights) {
      if (!grants.has(right, table.schema(), table.name())) {
        missing.add(right);
      }
    }
    if (!missing.isEmpty()) {
      String user = catalog.user();
      String list = String.join(", ", missing);
      throw catalog.forbid(
          "user " + user + " has no " + list + " on table " + table.display(),
          "GRANT " + list + " ON " + table.qualified() + " TO " + grants.grantee() + ";");
    }
  }
}
