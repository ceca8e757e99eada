package dev.zerodowntime.orchestrator.mysql;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the user of the connection may do, by its own grants and those of its active roles: asked
 * before anything is touched, for the server says so only in the middle.
 */
final class Privileges {

  private static final Pattern GRANT =
      Pattern.compile("GRANT (.+?) ON (?:TABLE )?(\\S+?)\\.(\\S+) TO .*", Pattern.DOTALL);

  private record Grant(Set<String> rights, String database, String table) {}

  private final Catalog catalog;
  private final List<Grant> grants;

  private Privileges(Catalog catalog, List<Grant> grants) {
    this.catalog = catalog;
    this.grants = grants;
  }

  static Privileges of(Catalog catalog) throws SQLException {
    String using = "";
    if (!catalog.version().mariadb()) {
      String roles = catalog.list("SELECT CURRENT_ROLE()", row -> row.getString(1)).get(0);
      using = roles.equals("NONE") ? "" : " FOR CURRENT_USER() USING " + roles;
    }
    List<Grant> grants = new ArrayList<>();
    for (String text : catalog.list("SHOW GRANTS" + using, row -> row.getString(1))) {
      Matcher grant = GRANT.matcher(text.replace('"', '`'));
      if (grant.matches()) {
        Set<String> rights = new TreeSet<>();
        // Rights on columns don't help, and are left with their parentheses.
        for (String right : grant.group(1).split(", ?")) {
          rights.add(right.strip().toUpperCase(Locale.ROOT));
        }
        grants.add(new Grant(rights, unquote(grant.group(2)), unquote(grant.group(3))));
      }
    }
    return new Privileges(catalog, grants);
  }

  private static String unquote(String name) {
    return name.length() > 1 && name.startsWith("`")
        ? name.substring(1, name.length() - 1).replace("``", "`")
        : name;
  }

  private boolean has(String right, String schema, String table) {
    return grants.stream()
        .filter(each -> each.database().equals("*") || like(each.database(), schema))
        .filter(each -> each.table().equals("*") || each.table().equalsIgnoreCase(table))
        .anyMatch(
            each ->
                each.rights().contains(right)
                    || each.rights().contains("ALL PRIVILEGES")
                    || each.rights().contains("ALL"));
  }

  /** In a grant, a database's name is a pattern. */
  private static boolean like(String pattern, String name) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < pattern.length(); i++) {
      char c = pattern.charAt(i);
      if (c == '\\' && i + 1 < pattern.length()) {
        regex.append(Pattern.quote(pattern.substring(i + 1, i + 2)));
        i++;
      } else {
        regex.append(c == '%' ? ".*" : c == '_' ? "." : Pattern.quote(pattern.substring(i, i + 1)));
      }
    }
    return Pattern.compile(regex.toString(), Pattern.CASE_INSENSITIVE).matcher(name).matches();
  }

  /** The same for a right that is had on a database. */
  void requireOnDatabase(String schema, String right) throws SQLException {
    if (!has(right, schema, "")) {
      throw catalog.forbid(
          "user " + catalog.user() + " has no " + right + " on database " + Sql.quote(schema),
          "GRANT " + right + " ON " + Sql.quote(schema) + ".* TO " + grantee() + ";");
    }
  }

  /** The same for a right that is had on everything. */
  void requireGlobal(String right, String otherwise) throws SQLException {
    if (!has(right, "", "")) {
      throw catalog.forbid(
          "user " + catalog.user() + " has no " + right,
          "GRANT " + right + " ON *.* TO " + grantee() + "; " + otherwise);
    }
  }

  private String grantee() throws SQLException {
    String user = catalog.user();
    int at = user.lastIndexOf('@');
    return Sql.literal(user.substring(0, at)) + "@" + Sql.literal(user.substring(at + 1));
  }

  /** Refuses where one is missing, and says how it is granted. */
  void require(CatalogTable table, String... rights) throws SQLException {
    List<String> missing = new ArrayList<>();
    for (String right : rights) {
      if (!has(right, table.schema(), table.name())) {
        missing.add(right);
      }
    }
    if (!missing.isEmpty()) {
      String user = catalog.user();
      String list = String.join(", ", missing);
      throw catalog.forbid(
          "user " + user + " has no " + list + " on table " + table.display(),
          "GRANT " + list + " ON " + table.qualified() + " TO " + grantee() + ";");
    }
  }
}
