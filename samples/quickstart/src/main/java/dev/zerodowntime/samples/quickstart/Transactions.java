package dev.zerodowntime.samples.quickstart;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What the shop does all day: transactions of several statements, each of which the driver has long
 * prepared on the server (it does so at the fifth use). What was read is compared at once, what was
 * committed is noted.
 */
final class Transactions {

  private final Code code;
  private final Shard shard;
  private final Expectations expectations;
  private final Proof proof;
  private final String who;

  Transactions(Code code, Shard shard, Expectations expectations, Proof proof, String who) {
    this.code = code;
    this.shard = shard;
    this.expectations = expectations;
    this.proof = proof;
    this.who = who;
  }

  /** One of them, by chance. The connection is not in auto-commit mode. */
  void any(Connection connection) throws SQLException {
    switch (shard.random().nextInt(6)) {
      case 0 -> insert(connection);
      case 1 -> upsert(connection);
      case 2, 3 -> update(connection);
      default -> read(connection);
    }
  }

  private void read(Connection connection) throws SQLException {
    Customer mine = expectations.expected(shard.anyRow());
    select(connection, code.selectAll(), mine);
    UUID publicId = expectations.publicId(mine.id());
    if (code.looksUpByPublicId() && publicId != null) {
      lookUp(connection, publicId, mine);
    }
    readForeignRow(connection);
    commit(connection);
  }

  private void update(Connection connection) throws SQLException {
    Customer before = expectations.expected(shard.anyRow());
    Customer after = before.renamed(newName());
    select(connection, code.selectAll(), before);
    try (PreparedStatement update = connection.prepareStatement(code.update())) {
      update.setString(1, after.name());
      update.setLong(2, after.id());
      int rows = proof.timed(update::executeUpdate);
      expectations.same(after.id(), "count of updated rows", 1, rows, who);
    }
    select(connection, code.selectColumns(), after);
    commit(connection);
    expectations.committed(after);
  }

  private void insert(Connection connection) throws SQLException {
    String email = shard.newEmail();
    UUID publicId = UUID.randomUUID();
    Customer fresh;
    // The driver turns this into RETURNING *, whose columns change with the table's.
    try (PreparedStatement insert =
        connection.prepareStatement(code.insert(), Statement.RETURN_GENERATED_KEYS)) {
      fresh = new Customer(0, email, newName(), "+1 555 " + email, 0);
      set(insert, fresh, publicId);
      proof.timed(insert::executeUpdate);
      try (ResultSet keys = insert.getGeneratedKeys()) {
        keys.next();
        fresh = new Customer(Product.current().key(keys), email, fresh.name(), fresh.fax(), 0);
      }
    }
    select(connection, code.selectColumns(), fresh);
    commit(connection);
    expectations.committed(fresh);
    shard.inserted(fresh.id());
    if (code.writesPublicId()) {
      expectations.sawPublicId(fresh.id(), publicId, who);
    }
  }

  private void upsert(Connection connection) throws SQLException {
    if (code.upsert().isEmpty()) {
      update(connection);
      return;
    }
    Customer before = expectations.expected(shard.anyRow());
    Customer after = before.renamed(newName());
    try (PreparedStatement upsert = connection.prepareStatement(code.upsert())) {
      // The row is there already, and keeps the public id that it has.
      set(upsert, after, UUID.randomUUID());
      proof.timed(upsert::executeUpdate);
    }
    select(connection, code.selectAll(), after);
    commit(connection);
    expectations.committed(after);
  }

  private void set(PreparedStatement insert, Customer customer, UUID publicId) throws SQLException {
    int at = 1;
    insert.setString(at++, customer.email());
    insert.setString(at++, customer.name());
    if (code.writesFax()) {
      insert.setString(at++, customer.fax());
    }
    if (code.writesPublicId()) {
      Product.current().set(insert, at, publicId);
    }
  }

  private void select(Connection connection, String sql, Customer expected) throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(sql)) {
      select.setLong(1, expected.id());
      compare(select, expected);
    }
  }

  private void lookUp(Connection connection, UUID publicId, Customer expected) throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(code.selectByPublicId())) {
      Product.current().set(select, 1, publicId);
      compare(select, expected);
    }
  }

  private void compare(PreparedStatement select, Customer expected) throws SQLException {
    try (ResultSet rows = proof.timed(select::executeQuery)) {
      expectations.compare(expected, rows.next() ? rows : null, code, who);
    }
  }

  /** Of a row that another worker writes, only what never changes is known. */
  private void readForeignRow(Connection connection) throws SQLException {
    long id = shard.anyRowOfAll();
    try (PreparedStatement select = connection.prepareStatement(code.selectAll())) {
      select.setLong(1, id);
      try (ResultSet row = proof.timed(select::executeQuery)) {
        @Nullable String email = row.next() ? row.getString("email") : null;
        expectations.same(id, "email", Customer.original(id).email(), email, who);
        if (email != null && code.readsPublicId()) {
          expectations.sawPublicId(id, Product.current().get(row, "public_id"), who);
        }
      }
    }
  }

  private void commit(Connection connection) throws SQLException {
    proof.timed(
        () -> {
          connection.commit();
          return true;
        });
  }

  private String newName() {
    return "Renamed by " + who + " " + shard.random().nextInt(1_000_000);
  }
}
