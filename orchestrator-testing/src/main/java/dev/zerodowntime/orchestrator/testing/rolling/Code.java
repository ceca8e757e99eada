package dev.zerodowntime.orchestrator.testing.rolling;

import dev.zerodowntime.orchestrator.testing.rolling.Account.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What the code of one stage does with the table: the columns it names, and so its SQL. Immutable;
 * each method that describes more gives another one.
 */
public final class Code {

  private static final List<Column> ALWAYS =
      List.of(
          new Column("country", Field.COUNTRY, Form.PLAIN),
          new Column("note", Field.NOTE, Form.PLAIN));

  private final String stage;
  private List<Column> reads = ALWAYS;
  private List<Column> writes = ALWAYS;
  private boolean omits;
  private String omitted;
  private boolean strict = true;
  private boolean looksUp = true;
  private boolean named;
  private boolean positional;
  private String upsertsOn;
  private String table = "accounts";
  private String joined = "";
  private Form form = Form.PLAIN;
  private Values values = (slice, number) -> "s" + slice + "-" + number;
  private Function<Account, String> draft;
  private List<Beside> beside = List.of();

  private Code(String stage) {
    this.stage = stage;
  }

  private Code(Code other) {
    this.stage = other.stage;
    this.reads = other.reads;
    this.writes = other.writes;
    this.omits = other.omits;
    this.omitted = other.omitted;
    this.strict = other.strict;
    this.looksUp = other.looksUp;
    this.named = other.named;
    this.positional = other.positional;
    this.upsertsOn = other.upsertsOn;
    this.table = other.table;
    this.joined = other.joined;
    this.form = other.form;
    this.values = other.values;
    this.draft = other.draft;
    this.beside = other.beside;
  }

  /**
   * How code passes a value of the ledger to the database, and what it makes of the one it gets.
   *
   * @param parameter the marker, with a cast where the column is no text
   * @param stored what is stored for a value
   * @param meant the value that is meant by what is stored
   */
  public record Form(String parameter, UnaryOperator<String> stored, UnaryOperator<String> meant) {

    static final Form PLAIN = of("?");

    /** The same value, passed by that marker. */
    public static Form of(String parameter) {
      return new Form(parameter, UnaryOperator.identity(), UnaryOperator.identity());
    }
  }

  /** A column by the name that this code has for it. */
  public record Column(String name, Field field, Form form) {

    String stored(String value) {
      return value == null ? null : form.stored().apply(value);
    }

    String meant(String value) {
      return value == null ? null : form.meant().apply(value);
    }
  }

  /** What code gives a row: for a slice's n-th value. */
  public interface Values {
    String of(int slice, long number);
  }

  /**
   * A statement that goes with every write of the subject, in the same transaction.
   *
   * @param sql with {@code :id} and {@code :value}, each once at most
   * @param first whether it comes before the row is written; there is no key then
   */
  public record Beside(String sql, boolean first) {}

  /** Code that neither reads nor writes the subject. */
  public static Code of(Enum<?> stage) {
    return new Code(stage.name());
  }

  /** Columns that are named after this are of this form. */
  public Code as(Form form) {
    Code code = new Code(this);
    code.form = form;
    return code;
  }

  public Code reads(String column) {
    Code code = new Code(this);
    code.reads = and(reads, column);
    return code;
  }

  public Code writes(String... columns) {
    Code code = new Code(this);
    code.writes = and(writes, columns);
    return code;
  }

  /**
   * Its inserts may leave the subject out.
   *
   * @param value what a row written like that holds then; null for whatever the fill gives
   */
  public Code omitting(String value) {
    Code code = new Code(this);
    code.omits = true;
    code.omitted = value;
    return code;
  }

  /** It does not rely on every row having the value. */
  public Code tolerant() {
    Code code = new Code(this);
    code.strict = false;
    return code;
  }

  /** What * gives it may lack the subject, which it asks for by name. */
  public Code named() {
    Code code = new Code(this);
    code.named = true;
    return code;
  }

  /** Its inserts of several rows name no columns: it means those that there were before. */
  public Code positional() {
    Code code = new Code(this);
    code.positional = true;
    return code;
  }

  /** It compares the subject with nothing. */
  public Code neverLooksUp() {
    Code code = new Code(this);
    code.looksUp = false;
    return code;
  }

  public Code upserts(String column) {
    Code code = new Code(this);
    code.upsertsOn = column;
    return code;
  }

  /** It knows the table by this name. */
  public Code table(String name) {
    Code code = new Code(this);
    code.table = name;
    return code;
  }

  /** It reads another table, too, by a join that finds every row once. */
  public Code joins(String join) {
    Code code = new Code(this);
    code.joined = " " + join;
    return code;
  }

  public Code values(Values values) {
    Code code = new Code(this);
    code.values = values;
    return code;
  }

  /**
   * Sometimes it inserts a row with another value, and corrects that in the same transaction.
   *
   * @param draft the other value, which may be of a row that is there; null to leave it out
   */
  public Code drafts(Function<Account, String> draft) {
    Code code = new Code(this);
    code.draft = draft;
    return code;
  }

  /** Before it writes the subject it runs this. */
  public Code before(String sql) {
    return beside(new Beside(sql, true));
  }

  /** After it has written the subject, or to write it, it runs this. */
  public Code after(String sql) {
    return beside(new Beside(sql, false));
  }

  private Code beside(Beside more) {
    Code code = new Code(this);
    code.beside = Stream.concat(beside.stream(), Stream.of(more)).toList();
    return code;
  }

  private List<Column> and(List<Column> columns, String... names) {
    List<Column> all = new ArrayList<>(columns);
    Stream.of(names).forEach(each -> all.add(new Column(each, Field.SUBJECT, form)));
    return List.copyOf(all);
  }

  String stage() {
    return stage;
  }

  /** The columns it reads; together they are the entity that its mapper knows. */
  List<Column> reads() {
    return reads;
  }

  /** Of those, what an insert returns. */
  List<Column> returned() {
    return joined.isEmpty()
        ? reads
        : reads.stream().filter(each -> each.field() != Field.SUBJECT).toList();
  }

  List<Column> writes() {
    return writes;
  }

  boolean omits() {
    return omits;
  }

  String omitted() {
    return omitted;
  }

  boolean strict() {
    return strict;
  }

  /** Whether * may give it no subject. */
  boolean isNamed() {
    return named;
  }

  /** The column it upserts on, or null. */
  String upsertsOn() {
    return upsertsOn;
  }

  String value(int slice, long number) {
    return values.of(slice, number);
  }

  /** Null if it writes what it means at once. */
  Function<Account, String> draft() {
    return draft;
  }

  List<Beside> beside(boolean first) {
    return beside.stream().filter(each -> each.first() == first).toList();
  }

  boolean hasBeside() {
    return !beside.isEmpty();
  }

  boolean looksUpSubject() {
    return looksUp && knows(reads);
  }

  boolean writesSubject() {
    return knows(writes) || !beside.isEmpty();
  }

  /** Whether the subject is in another table than the rest. */
  boolean keepsSubjectApart() {
    return !knows(writes) && !beside.isEmpty();
  }

  private static boolean knows(List<Column> columns) {
    return columns.stream().anyMatch(each -> each.field() == Field.SUBJECT);
  }

  private Column subject() {
    return reads.stream().filter(each -> each.field() == Field.SUBJECT).findFirst().orElseThrow();
  }

  /** How it passes a subject that it looks for. */
  String lookedFor(String value) {
    return subject().stored(value);
  }

  String select() {
    return "SELECT id, " + names(reads) + " FROM " + table + joined + " WHERE id = ?";
  }

  String selectStar() {
    return "SELECT * FROM " + table + joined + " WHERE id = ?";
  }

  String selectBySubject() {
    return "SELECT count(*) FROM " + table + joined + " WHERE id = ? AND " + hasSubject();
  }

  private String hasSubject() {
    return subject().name() + " = " + subject().form().parameter();
  }

  /** What an insert writes. */
  List<Column> inserted(boolean withSubject) {
    return writes.stream().filter(each -> withSubject || each.field() != Field.SUBJECT).toList();
  }

  String insert(List<Column> columns, int rows) {
    boolean unnamed = positional && rows > 1 && columns.equals(writes);
    List<String> values =
        new ArrayList<>(columns.stream().map(each -> each.form().parameter()).toList());
    if (unnamed) {
      // The key comes first, and hits after what every row has.
      values.add(ALWAYS.size(), "DEFAULT");
      values.add(0, "DEFAULT");
    }
    String row = "(" + String.join(", ", values) + ")";
    return "INSERT INTO "
        + table
        + (unnamed ? "" : " (" + names(columns) + ")")
        + " VALUES "
        + Stream.generate(() -> row).limit(rows).collect(Collectors.joining(", "));
  }

  List<Column> updated(Field field) {
    return writes.stream().filter(each -> each.field() == field).toList();
  }

  /** All columns that its mapper knows from an entity it has read. */
  List<Column> overwritten() {
    return writes.stream()
        .filter(each -> reads.stream().anyMatch(known -> known.field() == each.field()))
        .toList();
  }

  String update(List<Column> columns) {
    return "UPDATE "
        + table
        + " SET "
        + columns.stream()
            .map(each -> each.name() + " = " + each.form().parameter())
            .collect(Collectors.joining(", "))
        + " WHERE id = ?";
  }

  String upsert(Product product) {
    return upsert(product, "note = " + product.offered("note"));
  }

  String upsertHot(Product product) {
    return upsert(product, "hits = " + table + ".hits + 1");
  }

  private String upsert(Product product, String assignments) {
    return insert(writes, 1) + product.orUpdate(table, upsertsOn) + assignments;
  }

  String updateHot() {
    return "UPDATE " + table + " SET hits = hits + 1 WHERE " + hasSubject();
  }

  String lockHot() {
    return "SELECT hits FROM " + table + " WHERE " + hasSubject() + " FOR UPDATE";
  }

  String deleteHot() {
    return "DELETE FROM " + table + " WHERE " + hasSubject();
  }

  String delete() {
    return "DELETE FROM " + table + " WHERE id = ?";
  }

  private static String names(List<Column> columns) {
    return columns.stream().map(Column::name).collect(Collectors.joining(", "));
  }
}
