package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.testing.rolling.Account.Field;
import dev.zerodowntime.orchestrator.testing.rolling.Code.Beside;
import dev.zerodowntime.orchestrator.testing.rolling.Code.Column;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * What one worker's code does in the database: each call is one query, whose result is compared.
 */
final class Operations {

  private static final int ENTITIES = 12;
  private static final int MANY = 3;

  private final Product product;
  private final Code code;
  private final Scenario<?> scenario;
  private final Ledger ledger;
  private final Random random;
  private final Counter counter;

  /** Entities read a while ago, by any transaction of this worker: writing them back is stale. */
  private final Map<Slice, List<Entity>> entities = new HashMap<>();

  Operations(
      Product product,
      Code code,
      Scenario<?> scenario,
      Ledger ledger,
      Random random,
      Counter counter) {
    this.product = product;
    this.code = code;
    this.scenario = scenario;
    this.ledger = ledger;
    this.random = random;
    this.counter = counter;
  }

  private record Entity(long id, Map<Field, String> values) {}

  /** Hears of every query. */
  interface Counter {
    void query(String sql, long nanos);

    void differs(String what);
  }

  private interface Query<T> {
    T run() throws SQLException;
  }

  /** What it has read of a slice in a transaction that was undone it does not know. */
  void forget(Slice slice) {
    entities.remove(slice);
  }

  private <T> T counted(String sql, Query<T> query) throws SQLException {
    long start = System.nanoTime();
    try {
      return query.run();
    } finally {
      counter.query(sql, System.nanoTime() - start);
    }
  }

  void read(Connection connection, Slice slice) throws SQLException {
    select(connection, slice, code.select());
  }

  void readStar(Connection connection, Slice slice) throws SQLException {
    select(connection, slice, code.selectStar());
  }

  private void select(Connection connection, Slice slice, String sql) throws SQLException {
    select(connection, slice, slice.pick(random), sql);
  }

  private void select(Connection connection, Slice slice, Account account, String sql)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setLong(1, account.id());
      try (ResultSet row = counted(sql, statement::executeQuery)) {
        if (!row.next()) {
          counter.differs(account + " is not there");
          return;
        }
        remember(slice, account.id(), compared(account, code.reads(), row));
      }
    }
  }

  private Map<Field, String> compared(Account account, List<Column> columns, ResultSet row)
      throws SQLException {
    Map<Field, String> values = new EnumMap<>(Field.class);
    for (Column column : columns) {
      if (code.isNamed() && column.field() == Field.SUBJECT && !has(row, column.name())) {
        continue;
      }
      String found = column.meant(row.getString(column.name()));
      values.put(column.field(), found);
      String right = account.get(column.field());
      if (column.field() == Field.SUBJECT && right == null) {
        right = found == null && !code.strict() ? null : scenario.filled().apply(account);
      }
      if (found == null ? right != null : !found.equals(right)) {
        counter.differs(column.name() + " of " + account + " is " + found + ", not " + right);
      }
    }
    return values;
  }

  private static boolean has(ResultSet row, String column) throws SQLException {
    ResultSetMetaData columns = row.getMetaData();
    for (int i = 1; i <= columns.getColumnCount(); i++) {
      if (columns.getColumnLabel(i).equalsIgnoreCase(column)) {
        return true;
      }
    }
    return false;
  }

  private void remember(Slice slice, long id, Map<Field, String> values) {
    List<Entity> kept = entities.computeIfAbsent(slice, each -> new ArrayList<>());
    Entity entity = new Entity(id, values);
    if (kept.size() < ENTITIES) {
      kept.add(entity);
    } else {
      kept.set(random.nextInt(ENTITIES), entity);
    }
  }

  void readBySubject(Connection connection, Slice slice) throws SQLException {
    if (!code.looksUpSubject()) {
      return;
    }
    Account account = slice.pick(random);
    if (account.subject() == null) {
      return;
    }
    String sql = code.selectBySubject();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setLong(1, account.id());
      statement.setString(2, code.lookedFor(account.subject()));
      try (ResultSet row = counted(sql, statement::executeQuery)) {
        row.next();
        if (row.getLong(1) != 1) {
          counter.differs(account + " is not found by its subject");
        }
      }
    }
  }

  void insert(Connection connection, Slice slice) throws SQLException {
    insert(connection, slice, 1);
  }

  void insertMany(Connection connection, Slice slice) throws SQLException {
    insert(connection, slice, MANY);
  }

  private void insert(Connection connection, Slice slice, int rows) throws SQLException {
    boolean writes = code.writesSubject();
    boolean withSubject = writes && !(code.omits() && random.nextInt(3) == 0);
    List<Column> columns = code.inserted(withSubject);
    List<Account> fresh = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      String subject = withSubject ? slice.value(code) : writes ? code.omitted() : null;
      fresh.add(new Account(0, country(), "new " + i, subject));
    }
    withBeside(
        connection,
        () -> {
          beforeSubjects(connection, fresh);
          add(connection, slice, code.insert(columns, rows), columns, fresh);
        });
  }

  /** Some code means a row that it inserts to be corrected before anybody sees it. */
  void insertDraft(Connection connection, Slice slice) throws SQLException {
    if (code.draft() == null) {
      insert(connection, slice);
      return;
    }
    String draft = code.draft().apply(slice.pick(random));
    List<Column> columns = code.inserted(draft != null);
    Account fresh = new Account(0, country(), "draft", draft);
    atomically(
        connection,
        () -> {
          long id = add(connection, slice, code.insert(columns, 1), columns, List.of(fresh));
          update(connection, slice, slice.get(id), Field.SUBJECT, slice.value(code));
          // Nobody means to write the draft again.
          entities.get(slice).removeIf(each -> each.id() == id);
        });
  }

  private interface Statements {
    void run() throws SQLException;
  }

  /** What takes several statements is one transaction, also where each would be one. */
  private static void atomically(Connection connection, Statements statements) throws SQLException {
    boolean autoCommit = connection.getAutoCommit();
    connection.setAutoCommit(false);
    statements.run();
    if (autoCommit) {
      connection.commit();
      connection.setAutoCommit(true);
    }
  }

  private void withBeside(Connection connection, Statements statements) throws SQLException {
    if (code.hasBeside()) {
      atomically(connection, statements);
    } else {
      statements.run();
    }
  }

  private void beforeSubjects(Connection connection, List<Account> accounts) throws SQLException {
    for (Account each : accounts) {
      beside(connection, each, true);
    }
  }

  /** What goes with a subject that is written. */
  private void beside(Connection connection, Account account, boolean first) throws SQLException {
    if (account.subject() == null) {
      return;
    }
    for (Beside each : code.beside(first)) {
      String sql = each.sql().replace(":id", "?").replace(":value", "?");
      int id = each.sql().indexOf(":id");
      int value = each.sql().indexOf(":value");
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        if (id >= 0) {
          statement.setLong(value >= 0 && value < id ? 2 : 1, account.id());
        }
        if (value >= 0) {
          statement.setString(id >= 0 && id < value ? 2 : 1, account.subject());
        }
        counted(sql, statement::executeUpdate);
      }
    }
  }

  private String country() {
    return random.nextBoolean() ? "de" : "fr";
  }

  /** Inserts rows; the last one's key. */
  private long add(
      Connection connection, Slice slice, String sql, List<Column> columns, List<Account> fresh)
      throws SQLException {
    long id = 0;
    List<Account> added = new ArrayList<>();
    try (PreparedStatement statement =
        connection.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS)) {
      int at = 1;
      for (Account each : fresh) {
        for (Column column : columns) {
          statement.setString(at++, column.stored(each.get(column.field())));
        }
      }
      counted(sql, statement::executeUpdate);
      try (ResultSet keys = statement.getGeneratedKeys()) {
        for (Account each : fresh) {
          keys.next();
          id = product.returnsRows() ? keys.getLong("id") : keys.getLong(1);
          Account row = new Account(id, each.country(), each.note(), each.subject());
          slice.put(row);
          added.add(row);
          if (product.returnsRows()) {
            remember(slice, id, compared(row, code.returned(), keys));
          }
          beside(connection, row, false);
        }
      }
    }
    if (!product.returnsRows()) {
      for (Account each : added) {
        select(connection, slice, each, code.select());
      }
    }
    return id;
  }

  /** Updates its own row, or inserts a new one. */
  void upsert(Connection connection, Slice slice) throws SQLException {
    if (code.upsertsOn() == null) {
      return;
    }
    boolean insert = random.nextInt(4) == 0;
    Account account =
        insert
            ? new Account(0, country(), "upserted", slice.value(code))
            : slice.pick(random).with(Field.NOTE, "upserted " + random.nextInt(1_000_000_000));
    long id = add(connection, slice, code.upsert(product), code.writes(), List.of(account));
    if (!insert && id != account.id()) {
      counter.differs("the upsert of " + account + " made another row");
    }
  }

  void updateNote(Connection connection, Slice slice) throws SQLException {
    update(connection, slice, slice.pick(random), Field.NOTE, "note " + random.nextInt(1_000));
  }

  void updateSubject(Connection connection, Slice slice) throws SQLException {
    if (!code.writesSubject()) {
      updateNote(connection, slice);
      return;
    }
    Account account = slice.pick(random);
    withBeside(
        connection, () -> update(connection, slice, account, Field.SUBJECT, slice.value(code)));
  }

  private void update(
      Connection connection, Slice slice, Account account, Field field, String value)
      throws SQLException {
    Account changed = account.with(field, value);
    if (field == Field.SUBJECT) {
      beside(connection, changed, true);
    }
    List<Column> columns = code.updated(field);
    if (!columns.isEmpty()) {
      List<String> values = columns.stream().map(each -> each.stored(value)).toList();
      change(connection, code.update(columns), values, account.id(), 1);
    }
    if (field == Field.SUBJECT) {
      beside(connection, changed, false);
    }
    slice.put(changed);
  }

  /** As a mapper does: every column it knows, from an entity that others have changed since. */
  void overwrite(Connection connection, Slice slice) throws SQLException {
    List<Entity> kept = entities.getOrDefault(slice, List.of());
    if (kept.isEmpty()) {
      read(connection, slice);
      return;
    }
    Entity entity = kept.remove(random.nextInt(kept.size()));
    List<Column> columns =
        code.overwritten().stream()
            .filter(each -> entity.values().containsKey(each.field()))
            .toList();
    List<String> values = new ArrayList<>();
    Account account = slice.get(entity.id());
    Account written = account;
    for (Column column : columns) {
      String value = entity.values().get(column.field());
      values.add(column.stored(value));
      // Code that may meet a row without a value does not mean to erase the one it has got since.
      if (written != null && (value != null || column.field() != Field.SUBJECT)) {
        written = written.with(column.field(), value);
      }
    }
    String subject = entity.values().get(Field.SUBJECT);
    Account apart =
        code.keepsSubjectApart() && written != null && subject != null
            ? written.with(Field.SUBJECT, subject)
            : null;
    withBeside(
        connection,
        () -> {
          change(connection, code.update(columns), values, entity.id(), account == null ? 0 : 1);
          if (apart != null) {
            beside(connection, apart, true);
            beside(connection, apart, false);
          }
        });
    if (apart != null) {
      slice.put(apart);
    } else if (written != null) {
      slice.put(written);
    }
  }

  void delete(Connection connection, Slice slice) throws SQLException {
    Account account = slice.pick(random);
    change(connection, code.delete(), List.of(), account.id(), 1);
    slice.remove(account.id());
  }

  private void change(Connection connection, String sql, List<String> values, long id, int expected)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      int at = 1;
      for (String each : values) {
        statement.setString(at++, each);
      }
      statement.setLong(at, id);
      int changed = counted(sql, statement::executeUpdate);
      if (changed != expected) {
        counter.differs(sql + " with " + id + " changed " + changed + " rows, not " + expected);
      }
    }
  }

  /** One statement on a row that everybody works on, in a transaction of its own. */
  void hot(Connection connection) throws SQLException {
    List<String> keys = ledger.hotKeys();
    String key = keys.get(random.nextInt(keys.size()));
    if (random.nextBoolean()) {
      if (product.returnsRows()) {
        ledger.hit(key, -hits(connection, code.deleteHot() + " RETURNING hits", key));
      } else {
        deleteLocked(connection, key);
      }
      return;
    }
    boolean upserts = code.upsertsOn() != null;
    String sql = upserts ? code.upsertHot(product) : code.updateHot();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      int at = 1;
      Account row = new Account(0, "hot", "hot", key);
      for (Column column : upserts ? code.writes() : List.<Column>of()) {
        statement.setString(at++, column.stored(row.get(column.field())));
      }
      if (!upserts) {
        statement.setString(at, code.lookedFor(key));
      }
      int changed = counted(sql, statement::executeUpdate);
      // Some servers count a row that an upsert has changed as two.
      ledger.hit(key, upserts ? 1 : changed);
    }
  }

  /** How many hits the rows of a key have. */
  private long hits(Connection connection, String sql, String key) throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, code.lookedFor(key));
      try (ResultSet row = counted(sql, statement::executeQuery)) {
        long hits = 0;
        while (row.next()) {
          hits += row.getLong(1);
        }
        return hits;
      }
    }
  }

  /** A row that is not there is left alone: all others who want to insert it would wait. */
  private void deleteLocked(Connection connection, String key) throws SQLException {
    connection.setAutoCommit(false);
    long hits = hits(connection, code.lockHot(), key);
    if (hits > 0) {
      String sql = code.deleteHot();
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        statement.setString(1, code.lookedFor(key));
        counted(sql, statement::executeUpdate);
      }
    }
    connection.commit();
    ledger.hit(key, -hits);
    connection.setAutoCommit(true);
  }
}
