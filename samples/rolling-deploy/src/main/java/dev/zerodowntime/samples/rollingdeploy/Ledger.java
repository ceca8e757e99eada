package dev.zerodowntime.samples.rollingdeploy;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** Compares what the clients have written with what the table holds at the end. */
final class Ledger {

  private Ledger() {}

  /** Returns what differs: a row that is lost, or has another value. */
  static List<String> differences(DataSource database, List<User> users) throws SQLException {
    List<String> differences = new ArrayList<>();
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT full_name, country, region FROM users WHERE id = ?")) {
      for (User user : users) {
        select.setLong(1, user.id());
        try (ResultSet row = select.executeQuery()) {
          if (!row.next()) {
            differences.add("lost: " + user);
          } else if (!user.name().equals(row.getString(1))
              || !user.country().equals(row.getString(2))
              || !user.region().equals(row.getString(3))) {
            differences.add(
                "instead of %s: %s, %s, %s"
                    .formatted(user, row.getString(1), row.getString(2), row.getString(3)));
          }
        }
      }
    }
    return differences;
  }
}
