package dev.zerodowntime.samples.quickstart;

/** What a row of the table should hold. The public id is kept apart: the database may choose it. */
record Customer(long id, String email, String name, String fax, int visits) {

  /** One of the rows that the table was filled with, and nobody has written since. */
  static Customer original(long id) {
    return new Customer(id, "customer" + id + "@example.com", "Customer " + id, "+1 555 " + id, 0);
  }

  Customer renamed(String newName) {
    return new Customer(id, email, newName, fax, visits + 1);
  }
}
