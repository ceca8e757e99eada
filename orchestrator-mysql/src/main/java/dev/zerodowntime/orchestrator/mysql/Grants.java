package dev.zerodowntime.orchestrator.mysql;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The rights of a connection's user: its own grants, and those of its active roles. */
final class Grants {

  private static final Pattern GRANT =
      Pattern.compile("GRANT (.+?) ON (?:TABLE )?(\\S+?)\\.(\\S+) TO .*", Pattern.DOTALL);

  private record Grant(Set<String> rights, String database, String table) {}

  private final String user;
  private final List<Grant> grants;

  private Grants(String user, List<Grant> grants) {
    this.user = user;
    this.grants = grants;
  }

  static Grants of(MysqlVersion version, Connection connection) throws SQLException {
    String using = "";
    if (!version.mariadb()) {
      String roles = Rows.of(connection, "SELECT CURRENT_ROLE()", row -> row.getString(1)).get(0);
      using = roles.equals("NONE") ? "" : " FOR CURRENT_USER() USING " + roles;
    }
    List<Grant> grants = new ArrayList<>();
    for (String text : Rows.of(connection, "SHOW GRANTS" + using, row -> row.getString(1))) {
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
    String user = Rows.of(connection, "SELECT CURRENT_USER()", row -> row.getString(1)).get(0);
    return new Grants(user, grants);
  }

  private static String unquote(String name) {
    return name.length() > 1 && name.startsWith("`")
        ? name.substring(1, name.length() - 1).replace("``", "`")
        : name;
  }

  /**
   * Whether the user has a right.
   *
   * @param table its name; empty for the whole database
   */
  boolean has(String right, String schema, String table) {
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

  /** The user of the connection. */
  String user() {
    return user;
  }

  /** The user as GRANT names it. */
  String grantee() {
    int at = user.lastIndexOf('@');
    return Sql.literal(user.substring(0, at)) + "@" + Sql.literal(user.substring(at + 1));
  }
}
