package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.ChangeColumnType;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.SqlErrorKind;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether a column's values can be converted, and what it has be had by one of another type. */
final class ColumnConversionCheck {

  /** What has another value every time, in every session, or by what other tables hold. */
  private static final Pattern VARIES =
      Pattern.compile(
          "(?<![\\p{L}\\p{N}_$])(select|now|sysdate|curdate|curtime|current_\\w+|localtime\\w*|utc_\\w+"
              + "|unix_timestamp|from_unixtime|rand|random_bytes|uuid\\w*|user|session_user"
              + "|system_user|connection_id|last_insert_id|found_rows|row_count|database|schema"
              + "|nextval|lastval)(?![\\p{L}\\p{N}_$])|@|\\?",
          Pattern.CASE_INSENSITIVE);

  /** Texts, and quoted names: whatever is in them, it is no function. */
  private static final Pattern LITERAL = Pattern.compile("'([^'\\\\]|''|\\\\.)*'|`([^`]|``)*`");

  private static final Set<String> TYPES =
      Set.of(
          "tinyint",
          "smallint",
          "mediumint",
          "int",
          "bigint",
          "decimal",
          "float",
          "double",
          "bit",
          "char",
          "varchar",
          "tinytext",
          "text",
          "mediumtext",
          "longtext",
          "enum",
          "set",
          "binary",
          "varbinary",
          "tinyblob",
          "blob",
          "mediumblob",
          "longblob",
          "json",
          "date",
          "datetime",
          "timestamp",
          "time",
          "year");

  private static final Pattern TEXT =
      Pattern.compile("(var)?char|(tiny|medium|long)?text|enum|set");
  private static final Pattern COLLATE = Pattern.compile("(?i)\\bCOLLATE (\\w+)");
  private static final Pattern CHARSET = Pattern.compile("(?i)\\bCHARACTER SET (\\w+)");

  private final ChangeColumnType change;
  private final Catalog catalog;

  ColumnConversionCheck(ChangeColumnType change, Catalog catalog) {
    this.change = change;
    this.catalog = catalog;
  }

  /** Refuses, or adds to the facts. */
  void require(Map<String, Object> facts) throws SQLException {
    CatalogTable table = catalog.table(change.table());
    CatalogColumn from = catalog.column(table, change.from());
    String definition =
        ColumnTrial.definition(catalog, table, change.to(), change.type(), change.defaultSql());
    requireDefault(table, from, definition);
    String type = type(table, definition);
    ColumnImage old = ColumnImage.of(catalog, table, from);
    ColumnImage fresh = image(type);
    requireTypes(table, from, old, fresh);
    String bare = ColumnText.withNotNull(ColumnText.withDefault(from.definition(), null), false);
    requireExpression(table, from, "up", change.up(), from.name(), bare);
    requireExpression(table, from, "down", change.down(), change.to(), type + " NULL");
    requireIndexes(table, facts, type);
    facts.put(
        ColumnTwinCheck.NEW_DEFINITION,
        (from.notNull() ? ColumnText.withNotNull(definition, true) : definition)
            + ColumnText.commentOf(from.definition()));
    facts.put(ColumnConversion.TYPE, type);
    facts.put(ColumnConversion.OLD_IMAGE, old.toMap());
    facts.put(ColumnConversion.NEW_IMAGE, fresh.toMap());
  }

  /** With the character set that the table gives it, which a variable would have from elsewhere. */
  private static String type(CatalogTable table, String definition) {
    String type = ColumnText.typeOf(definition);
    if (!TEXT.matcher(dataType(type)).matches()) {
      return type;
    }
    Matcher collate = COLLATE.matcher(type);
    Matcher charset = CHARSET.matcher(type);
    if (charset.find()) {
      return type;
    }
    return collate.find()
        ? type.substring(0, collate.start())
            + "CHARACTER SET "
            + charsetOf(collate.group(1))
            + " COLLATE "
            + collate.group(1)
        : type + " CHARACTER SET " + charsetOf(table.collation()) + " COLLATE " + table.collation();
  }

  /** By which names of collations begin. */
  private static String charsetOf(String collation) {
    return collation.split("_", 2)[0];
  }

  private static String dataType(String type) {
    return type.split("[( ]", 2)[0].toLowerCase(Locale.ROOT);
  }

  private ColumnImage image(String type) {
    Matcher charset = CHARSET.matcher(type);
    return new ColumnImage(change.to(), dataType(type), charset.find() ? charset.group(1) : null);
  }

  private void requireTypes(
      CatalogTable table, CatalogColumn from, ColumnImage old, ColumnImage fresh) {
    for (ColumnImage each : List.of(old, fresh)) {
      if (!TYPES.contains(each.type())) {
        throw catalog.refuse(
            "a column of type "
                + each.type()
                + " is converted from or to nothing else: column "
                + Sql.quote(each.name())
                + " of table "
                + table.display(),
            "Such types are not supported so far.");
      }
    }
    boolean oldStamp = old.type().equals("timestamp");
    boolean freshStamp = fresh.type().equals("timestamp");
    if (oldStamp != freshStamp) {
      throw catalog.refuse(
          "what a TIMESTAMP is as another type depends on the time_zone of each session: column "
              + Sql.quote((oldStamp ? old : fresh).name())
              + " of table "
              + table.display(),
          "Add a column of the other type, and let code write it, which knows the time zone.");
    }
    if (freshStamp && from.notNull() && catalog.version().mariadb()) {
      throw catalog.refuse(
          "column \"" + change.to() + "\" can't become NOT NULL in place on MariaDB",
          "Use DATETIME; or declare DropNotNull first.");
    }
  }

  private void requireExpression(
      CatalogTable table,
      CatalogColumn from,
      String name,
      String expression,
      String column,
      String definition)
      throws SQLException {
    String what = "expression " + name + " \"" + expression + "\"";
    Matcher varies = VARIES.matcher(LITERAL.matcher(expression).replaceAll("''"));
    if (varies.find()) {
      throw catalog.refuse(
          what + " has another value every time, or in every session: " + varies.group(),
          "Let it depend on the column's value alone.");
    }
    if (!ColumnText.mentions(expression, column)) {
      throw catalog.refuse(
          what + " is not computed from column " + Sql.quote(column),
          "Let it be computed from that column, and nothing else.");
    }
    boolean isNull;
    try {
      isNull = Trial.isNull(catalog, table, column, definition, expression, !from.notNull());
    } catch (SQLException e) {
      if (MysqlErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
        throw e;
      }
      throw catalog.refuse(
          what
              + " can't be computed from column "
              + Sql.quote(column)
              + " of table "
              + table.display()
              + ": the server says \""
              + Catalog.said(e)
              + "\"",
          "Correct it: it is evaluated over that column alone, for nothing else tells when the value"
              + " changes.");
    }
    if (!isNull) {
      throw catalog.refuse(
          what + " makes something of NULL, which the column may hold",
          "Let it yield NULL for NULL: else nobody can tell which rows are converted.");
    }
  }

  private void requireDefault(CatalogTable table, CatalogColumn from, String definition)
      throws SQLException {
    String former = from.defaultSql();
    if (former != null && change.defaultSql().isEmpty()) {
      throw catalog.refuse(
          "column "
              + from.quoted()
              + " of table "
              + table.display()
              + " has the default "
              + former
              + ", and nothing says what the new column's is",
          "Declare it with defaultSql(...).");
    }
    if (former == null && change.defaultSql().isPresent()) {
      throw catalog.refuse(
          "column "
              + from.quoted()
              + " of table "
              + table.display()
              + " has no default, so the new column can't have one before CONTRACT",
          "Leave out defaultSql(...), and use SetDefault afterwards.");
    }
    if (former == null) {
      return;
    }
    try {
      Trial.insert(catalog, table, change.to(), definition);
    } catch (SQLException e) {
      if (MysqlErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
        throw e;
      }
      throw catalog.refuse(
          "the default "
              + change.defaultSql().orElse("")
              + " is no value of type "
              + change.type()
              + ": the server says \""
              + Catalog.said(e)
              + "\"",
          "Correct the expression.");
    }
  }

  /** They have to be possible over the new type. */
  private void requireIndexes(CatalogTable table, Map<String, Object> facts, String type)
      throws SQLException {
    for (Map<String, Object> each : Facts.maps(facts, ColumnTwinCheck.INDEXES)) {
      try {
        Trial.make(
            catalog,
            table,
            Map.of(change.to(), type + " NULL"),
            "KEY `zdo_trial_key`" + Facts.required(each, "clause"));
      } catch (SQLException e) {
        if (MysqlErrors.classify(e) == SqlErrorKind.CONNECTION_LOST) {
          throw e;
        }
        throw catalog.refuse(
            "index "
                + Sql.quote(Facts.required(each, "name"))
                + " of table "
                + table.display()
                + " can't be had over type "
                + type
                + ": the server says \""
                + Catalog.said(e)
                + "\"",
            "Drop it, and create it anew for the new column after CONTRACT.");
      }
    }
  }
}
