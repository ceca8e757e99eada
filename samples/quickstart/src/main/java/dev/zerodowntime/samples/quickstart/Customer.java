package dev.zerodowntime.samples.quickstart;

/** What a row of the table should hold. The public id is kept apart: the database may choose it. */
record Customer(long id, String email, String name, String fax, int visits) {

  /** What the table is filled with. */
  static final String FILL =
      "INSERT INTO customers (email, name, fax, visits)"
          + " SELECT 'customer' || i || '@example.com', 'Customer ' || i, '+1 555 ' || i, 0"
          + " FROM generate_series(1, ?) AS i";

  /** The same, for one of those rows that nobody has written since. */
  static Customer original(long id) {
    return new Customer(id, "customer" + id + "@example.com", "Customer " + id, "+1 555 " + id, 0);
  }

  Customer renamed(String newName) {
    return new Customer(id, email, newName, fax, visits + 1);
  }
}
