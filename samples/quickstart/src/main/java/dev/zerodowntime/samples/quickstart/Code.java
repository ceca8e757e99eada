package dev.zerodowntime.samples.quickstart;

import dev.zerodowntime.orchestrator.operation.AddColumn;
import dev.zerodowntime.orchestrator.operation.CreateIndex;
import dev.zerodowntime.orchestrator.operation.DropColumn;
import dev.zerodowntime.orchestrator.operation.RenameColumn;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The SQL of one release: what the application's own code does at each stage.
 *
 * <p>{@code SELECT *} stays in it all along, as it would behind many an ORM: rows are read by the
 * names of their columns, and {@code autosave=conservative} in the URL lets the driver prepare it
 * anew when the table has changed.
 */
record Code(
    AddColumn.Code publicId,
    RenameColumn.Code fullName,
    DropColumn.Code fax,
    CreateIndex.Code byPublicId) {

  /** The column with the customer's name. */
  String name() {
    return fullName == RenameColumn.Code.USES_OLD_NAME ? "name" : "full_name";
  }

  boolean readsFax() {
    return fax == DropColumn.Code.USES;
  }

  boolean writesFax() {
    return fax != DropColumn.Code.UNUSED;
  }

  boolean readsPublicId() {
    return publicId == AddColumn.Code.READS;
  }

  boolean writesPublicId() {
    return publicId != AddColumn.Code.UNAWARE;
  }

  boolean looksUpByPublicId() {
    return byPublicId == CreateIndex.Code.NEEDS;
  }

  String selectAll() {
    return select() + " FROM customers WHERE id = ?";
  }

  String selectByPublicId() {
    return select() + " FROM customers WHERE public_id = ?";
  }

  /** On MySQL a new column is invisible at first: code that needs it early names it. */
  private String select() {
    String all = "SELECT customers.*";
    if (Product.current() == Product.MYSQL) {
      all += fullName == RenameColumn.Code.USES_OLD_NAME ? "" : ", full_name";
      all += readsPublicId() ? ", public_id" : "";
    }
    return all;
  }

  String selectColumns() {
    List<String> columns = new ArrayList<>(List.of("id", "email", name(), "visits"));
    if (readsFax()) {
      columns.add("fax");
    }
    if (readsPublicId()) {
      columns.add("public_id");
    }
    return "SELECT " + String.join(", ", columns) + " FROM customers WHERE id = ?";
  }

  String update() {
    return "UPDATE customers SET " + name() + " = ?, visits = visits + 1 WHERE id = ?";
  }

  /** Columns in the order in which {@link Transactions} sets them. */
  String insert() {
    List<String> columns = new ArrayList<>(List.of("email", name()));
    if (writesFax()) {
      columns.add("fax");
    }
    if (writesPublicId()) {
      columns.add("public_id");
    }
    String parameters = String.join(", ", Collections.nCopies(columns.size(), "?"));
    return "INSERT INTO customers (" + String.join(", ", columns) + ") VALUES (" + parameters + ")";
  }

  String upsert() {
    String otherwise = Product.current().otherwiseUpdate(name());
    return otherwise.isEmpty() ? "" : insert() + otherwise;
  }
}
