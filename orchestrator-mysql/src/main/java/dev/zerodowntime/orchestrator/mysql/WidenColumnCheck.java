package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.RefusedException;
import dev.zerodowntime.orchestrator.operation.WidenColumn;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Whether a column can get a wider type by a change of the catalog. A server can't be asked on a
 * temporary table, whose changes are always copies: what is let through is what the servers were
 * seen to do.
 */
final class WidenColumnCheck {

  /** Whether the column has the type already, by somebody else: then it is left alone. */
  static final String ALREADY = "already";

  /** The column in the catalog's own case. */
  static final String COLUMN = "column";

  /** As the server writes it down now. */
  static final String FORMER = "former";

  /** As it writes it down afterwards. */
  static final String WANTED = "wanted";

  /** Whether a way back has left the check that stands for the former type. */
  static final String FITS = "fits";

  /** Whether that check can be made. */
  static final String GUARDED = "guarded";

  static final Pattern SIZED = Pattern.compile("(varchar|varbinary)\\((\\d+)\\)");
  static final Pattern LISTED = Pattern.compile("(enum|set)\\((.*)\\)", Pattern.DOTALL);
  private static final int ONE_BYTE = 255;

  private final WidenColumn migration;
  private final Target target;
  private final Catalog catalog;
  private final Connection connection;
  private final CopyRoute copies;

  WidenColumnCheck(
      WidenColumn migration,
      Target target,
      MysqlVersion version,
      CopyRoute copies,
      Connection connection)
      throws SQLException {
    this.migration = migration;
    this.copies = copies;
    this.target = target;
    this.catalog = new Catalog(migration, target, version, connection);
    this.connection = connection;
  }

  Map<String, Object> facts(Map<String, Object> known) throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, migration.column());
    String what = "column " + column.quoted() + " of table " + table.display();
    if (column.generated()) {
      throw catalog.refuse(
          what + " is a generated column", "Drop it, and add it with the wider type.");
    }
    String now = type(column.definition());
    String wanted = tryOut(table, column, what);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put(COLUMN, column.name());
    facts.put(FORMER, column.definition());
    facts.put(WANTED, wanted);
    if (now.equals(type(wanted))) {
      return wide(table, column, known, facts);
    }
    facts.put(ALREADY, false);
    facts.put(FITS, false);
    List<Scan.KeyColumn> key =
        PrimaryKey.of(connection, migration.id(), table.schema(), table.name());
    if (copies.chosen(migration, catalog, table, known, false)) {
      WiderByCopy.require(catalog, now, type(wanted), what);
      facts.put(GUARDED, false);
      facts.putAll(copies.facts(migration, catalog, table, known, key));
      return facts;
    }
    requireWider(table, column, type(wanted), what);
    requireFree(table, column, what);
    facts.put("key", Facts.key(key));
    guard(table, column, facts);
    return facts;
  }

  /** By somebody else, or since a way back. */
  private Map<String, Object> wide(
      CatalogTable table,
      CatalogColumn column,
      Map<String, Object> known,
      Map<String, Object> facts) {
    String text = Facts.text(known, AddCheckCheck.EXPRESSION);
    boolean ours =
        Facts.flag(known, GUARDED)
            && text != null
            && (catalog.version().mariadb()
                ? new CheckText(text).equals(ColumnText.checkOf(column.definition()))
                : table
                    .definition()
                    .constraints()
                    .containsKey(MysqlWidenColumn.fits(migration, target)));
    if (ours || Facts.text(known, FORMER) != null && !Facts.flag(known, ALREADY)) {
      Map<String, Object> kept = new LinkedHashMap<>(known);
      kept.put(FITS, ours);
      return kept;
    }
    facts.put(ALREADY, true);
    return facts;
  }

  /** The first word of a definition, with what it has in parentheses. */
  static String type(String definition) {
    return ColumnText.words(definition).get(0);
  }

  private String tryOut(CatalogTable table, CatalogColumn column, String what) throws SQLException {
    Trial.require(catalog, table);
    List<String> words = ColumnText.words(column.definition());
    String rest = String.join(" ", words.subList(1, words.size()));
    try {
      ShowCreate made =
          Trial.make(catalog, table, Map.of(column.name(), migration.type() + " " + rest), null);
      String wanted = Objects.requireNonNull(made.columns().get(column.name()));
      List<String> found = ColumnText.words(wanted);
      if (made.columns().size() == table.definition().columns().size()
          && String.join(" ", found.subList(1, found.size())).equals(rest)) {
        return wanted;
      }
      throw catalog.refuse(
          what + " would become \"" + wanted + "\"",
          "Name a type alone: the column keeps all else that it has. Use ChangeColumnType for more.");
    } catch (SQLException e) {
      throw catalog.refuse(
          what + " can't be of type " + migration.type() + ": " + Catalog.said(e),
          "Name a type alone, such as varchar(200): the column keeps all else that it has. For one"
              + " of another kind use ChangeColumnType.");
    }
  }

  private void requireWider(CatalogTable table, CatalogColumn column, String wanted, String what)
      throws SQLException {
    String now = type(column.definition());
    String problem = sized(table, column, now, wanted);
    if (problem == null) {
      problem = listed(now, wanted);
    }
    if (!problem.isEmpty()) {
      throw catalog.refuse(
          what + " is " + now + ", and to make it " + wanted + " " + problem,
          CopyRoute.remedy(
              "use ChangeColumnType, which copies the values to a second column while the table is in"
                  + " use."));
    }
  }

  /** Empty where it is fine; null where it is no matter of length. */
  private @Nullable String sized(
      CatalogTable table, CatalogColumn column, String now, String wanted) throws SQLException {
    Matcher from = SIZED.matcher(now);
    Matcher to = SIZED.matcher(wanted);
    if (!from.matches() || !to.matches() || !from.group(1).equals(to.group(1))) {
      return null;
    }
    long before = Long.parseLong(from.group(2));
    long after = Long.parseLong(to.group(2));
    if (after < before) {
      return "would cut its values";
    }
    long bytes = bytesOf(table, column);
    boolean across = before * bytes <= ONE_BYTE && after * bytes > ONE_BYTE;
    return across
        ? "the server copies the table, with every write blocked: a value's length takes two bytes"
            + " beyond "
            + ONE_BYTE
            + " bytes, which are "
            + ONE_BYTE / bytes
            + " characters here"
        : "";
  }

  /** Of one character, at most. */
  private long bytesOf(CatalogTable table, CatalogColumn column) throws SQLException {
    return catalog
        .list(
            "SELECT COALESCE(s.MAXLEN, 1) FROM information_schema.COLUMNS c LEFT JOIN"
                + " information_schema.CHARACTER_SETS s ON s.CHARACTER_SET_NAME ="
                + " c.CHARACTER_SET_NAME WHERE "
                + Probes.isTable(table.schema(), table.name())
                + " AND c.COLUMN_NAME = ?",
            row -> row.getLong(1),
            column.name())
        .get(0);
  }

  private static String listed(String now, String wanted) {
    Matcher from = LISTED.matcher(now);
    Matcher to = LISTED.matcher(wanted);
    if (!from.matches() || !to.matches() || !from.group(1).equals(to.group(1))) {
      return "the server copies the table, with every write blocked";
    }
    List<String> before = values(from.group(2));
    List<String> after = values(to.group(2));
    if (after.size() < before.size() || !after.subList(0, before.size()).equals(before)) {
      return "would give values other numbers, for which the server copies the table: new ones come"
          + " at the end";
    }
    return bytes(from.group(1), before.size()) == bytes(to.group(1), after.size())
        ? ""
        : "takes more bytes in each row, for which the server copies the table";
  }

  /** The list, as the server writes it. */
  static List<String> values(String list) {
    return Pattern.compile("'(?:[^'\\\\]|''|\\\\.)*'", Pattern.DOTALL)
        .matcher(list)
        .results()
        .map(each -> each.group())
        .toList();
  }

  private static int bytes(String kind, int values) {
    if (kind.equals("enum")) {
      return values <= ONE_BYTE ? 1 : 2;
    }
    int bytes = (values + 7) / 8;
    return bytes > 4 ? 8 : bytes;
  }

  private void requireFree(CatalogTable table, CatalogColumn column, String what)
      throws SQLException {
    if (!catalog.version().mariadb()) {
      return;
    }
    List<String> keys =
        catalog.list(
            "SELECT CONSTRAINT_NAME FROM information_schema.KEY_COLUMN_USAGE WHERE"
                + " REFERENCED_TABLE_NAME IS NOT NULL AND (TABLE_SCHEMA = ? AND TABLE_NAME = ? AND"
                + " COLUMN_NAME = ? OR REFERENCED_TABLE_SCHEMA = ? AND REFERENCED_TABLE_NAME = ? AND"
                + " REFERENCED_COLUMN_NAME = ?)",
            row -> row.getString(1),
            table.schema(),
            table.name(),
            column.name(),
            table.schema(),
            table.name(),
            column.name());
    if (!keys.isEmpty()) {
      throw catalog.refuse(
          what
              + " belongs to foreign key "
              + Sql.quote(keys.get(0))
              + ", whose columns MariaDB"
              + " doesn't change",
          "Drop the foreign key first with DropConstraint, widen both columns, and add it again with"
              + " AddForeignKey.");
    }
  }

  /** What accepts what the former type did, on a way back that can't restore it. */
  private void guard(CatalogTable table, CatalogColumn column, Map<String, Object> facts)
      throws SQLException {
    String now = type(column.definition());
    Matcher sized = SIZED.matcher(now);
    Matcher listed = LISTED.matcher(now);
    String fits;
    if (sized.matches()) {
      fits =
          (sized.group(1).equals("varchar") ? "CHAR_LENGTH(" : "LENGTH(")
              + column.quoted()
              + ") <= "
              + sized.group(2);
    } else if (listed.matches()) {
      int values = values(listed.group(2)).size();
      fits =
          column.quoted()
              + " + 0 <= "
              + (listed.group(1).equals("enum")
                  ? Integer.toString(values)
                  : Long.toUnsignedString(values == 64 ? -1L : (1L << values) - 1));
    } else {
      throw new IllegalStateException(now);
    }
    String name = MysqlWidenColumn.fits(migration, target);
    CheckText text = CheckText.tryOut(catalog, table, name, fits);
    facts.put(AddCheckCheck.EXPRESSION, text.expression());
    facts.put(GUARDED, true);
    try {
      if (catalog.version().mariadb()) {
        // The check is written down with the wide type.
        facts.put(AddCheckCheck.HOST, column.name());
        facts.put(AddCheckCheck.DEFINITION, Facts.required(facts, WANTED));
        facts.put(GUARDED, ColumnText.checkOf(column.definition()) == null);
      } else {
        OwnTriggers.require(catalog, table);
      }
    } catch (RefusedException e) {
      facts.put(GUARDED, false);
    }
  }

  /** The definition is written down as a whole: not over what others have changed meanwhile. */
  void requireUnchanged(Map<String, Object> facts) throws SQLException {
    CatalogTable table = catalog.table(migration.table());
    CatalogColumn column = catalog.column(table, Facts.required(facts, COLUMN));
    String wanted = Facts.required(facts, WANTED);
    // A copy may have been taken back before it took the table's place.
    boolean never =
        CopyRoute.chosen(facts) && column.definition().equals(Facts.required(facts, FORMER));
    if (!never
        && !ColumnText.withoutCheck(column.definition()).equals(ColumnText.withoutCheck(wanted))) {
      throw catalog.refuse(
          "column "
              + column.quoted()
              + " of table "
              + table.display()
              + " was \""
              + wanted
              + "\", and is \""
              + column.definition()
              + "\" now: what else was changed would be lost",
          "Take the other changes back first.");
    }
  }
}
