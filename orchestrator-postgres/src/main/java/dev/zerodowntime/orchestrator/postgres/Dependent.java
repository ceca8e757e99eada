package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Something that would break, or silently change, when a column is renamed or dropped.
 *
 * @param kind what it is
 * @param name what it is called, for messages
 */
record Dependent(Kind kind, String name) {

  /** What can depend on a column besides constraints and indexes. */
  enum Kind {
    /** A view or materialized view. */
    VIEW,
    /** A rule on a table. */
    RULE,
    /** A generated column. */
    GENERATED_COLUMN,
    /** A row security policy. */
    POLICY,
    /** A trigger with a column list, a condition or an argument that names it. */
    TRIGGER,
    /**
     * A function whose text names the column: of one of the table's triggers, or naming the table
     * too.
     */
    FUNCTION,
    /** A publication's column list or row filter. */
    PUBLICATION,
    /** A trigger that is told its name by an argument. */
    ARGUMENT,
    /** Extended statistics: they follow a rename, and go with a drop. */
    STATISTICS,
    /** Anything else. */
    OTHER
  }

  private static final String DEPENDS =
      "SELECT d.classid::regclass::text, pg_describe_object(d.classid, d.objid, d.objsubid),"
          + " w.relkind::text, CASE WHEN w.oid IS NOT NULL THEN format('%I.%I', n.nspname,"
          + " w.relname) END, t.tgname FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid ="
          + " 'pg_rewrite'::regclass AND r.oid = d.objid LEFT JOIN pg_class w ON w.oid = r.ev_class"
          + " LEFT JOIN pg_namespace n ON n.oid = w.relnamespace LEFT JOIN pg_attrdef f ON"
          + " d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid LEFT JOIN pg_trigger t ON"
          + " d.classid = 'pg_trigger'::regclass AND t.oid = d.objid WHERE d.refclassid ="
          + " 'pg_class'::regclass AND d.refobjid = ?::bigint::oid AND d.refobjsubid = ? AND"
          + " d.classid <> 'pg_constraint'::regclass"
          // Until PostgreSQL 14 a generated column itself depends on the other, later its
          // expression.
          + " AND (d.classid <> 'pg_class'::regclass OR (d.objid = d.refobjid AND d.objsubid > 0))"
          + " AND NOT (f.oid IS NOT NULL AND f.adnum = d.refobjsubid)"
          + " GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2";

  /**
   * Functions of the table's own triggers, and others whose text names table and column, or that
   * have rows of the table for arguments or result.
   */
  private static final String FUNCTIONS =
      "SELECT DISTINCT p.oid::regprocedure::text, p.proname, p.prosrc, t.tgname, r.row FROM pg_proc p JOIN"
          + " pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang LEFT"
          + " JOIN pg_trigger t ON t.tgfoid = p.oid AND t.tgrelid = ?::bigint::oid AND NOT"
          + " t.tgisinternal CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_type y WHERE y.typrelid ="
          + " ?::bigint::oid AND (y.oid = ANY (a.types) OR y.typarray = ANY (a.types))) AS row FROM"
          + " (SELECT p.prorettype || p.proargtypes::oid[] || coalesce(p.proallargtypes, '{}') AS"
          + " types) a) r WHERE n.nspname <> ? AND n.nspname !~ '^(pg_|information_schema$)' AND"
          + " l.lanname NOT IN ('c', 'internal') AND position(lower(?) IN lower(p.prosrc)) > 0 AND"
          + " (t.oid IS NOT NULL OR position(lower(?) IN lower(p.prosrc)) > 0 OR r.row) AND NOT EXISTS"
          + " (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid"
          + " AND d.deptype = 'e') ORDER BY 1";

  private static final String OF_TABLE = "t.tgrelid = ?::bigint::oid AND";

  /** The arguments of the table's triggers, which end with a zero byte, one a line. */
  private static final String ARGUMENTS =
      "SELECT t.tgname, p.proname, convert_from(decode(b.hex, 'hex'), getdatabaseencoding()) FROM"
          + " pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid CROSS JOIN LATERAL (SELECT"
          + " string_agg(CASE get_byte(t.tgargs, i) WHEN 0 THEN '0a' ELSE"
          + " lpad(to_hex(get_byte(t.tgargs, i)), 2, '0') END, '' ORDER BY i) AS hex FROM"
          + " generate_series(0, length(t.tgargs) - 1) AS i) b WHERE "
          + OF_TABLE
          + " NOT t.tgisinternal AND t.tgnargs > 0 ORDER BY 1";

  static List<Dependent> read(Catalog catalog, CatalogTable table, CatalogColumn column)
      throws SQLException {
    List<Dependent> dependents = new ArrayList<>();
    catalog
        .list(
            DEPENDS,
            row ->
                of(
                    Objects.requireNonNull(row.getString(1)),
                    row.getString(2),
                    row.getString(3),
                    row.getString(4),
                    row.getString(5)),
            table.oid(),
            column.number())
        .stream()
        .flatMap(Optional::stream)
        .distinct()
        .forEach(dependents::add);
    Pattern columnWord = word(column.name());
    Pattern tableWord = word(table.name());
    for (String[] function :
        catalog.list(
            FUNCTIONS,
            row ->
                new String[] {
                  row.getString(1),
                  row.getString(2),
                  row.getString(3),
                  row.getString(4),
                  row.getBoolean(5) ? "row" : null
                },
            table.oid(),
            table.oid(),
            catalog.target().controlSchema(),
            column.name(),
            table.name())) {
      String text = String.valueOf(function[2]);
      String trigger = function[3];
      boolean names =
          columnWord.matcher(text).find()
              && (trigger != null || function[4] != null || tableWord.matcher(text).find());
      if (names && !catalog.policy().allowedFunctions().contains(function[1])) {
        dependents.add(
            new Dependent(
                Kind.FUNCTION,
                "function "
                    + function[0]
                    + (trigger == null ? "" : " of trigger " + trigger)
                    + " (allowFunctions(\""
                    + function[1]
                    + "\") if it goes on working)"));
      }
    }
    arguments(catalog, table, columnWord).forEach(dependents::add);
    return dependents;
  }

  /** Triggers that are told the column's name. */
  private static List<Dependent> arguments(Catalog catalog, CatalogTable table, Pattern column)
      throws SQLException {
    return arguments(catalog, column, ARGUMENTS, table.oid());
  }

  /** Triggers of any table that are told a name by an argument. */
  static List<Dependent> arguments(Catalog catalog, Pattern name) throws SQLException {
    return arguments(catalog, name, ARGUMENTS.replace(OF_TABLE, ""));
  }

  private static List<Dependent> arguments(
      Catalog catalog, Pattern name, String sql, Object... parameters) throws SQLException {
    return catalog
        .list(
            sql,
            row -> new String[] {row.getString(1), row.getString(2), row.getString(3)},
            parameters)
        .stream()
        .filter(trigger -> name.matcher(String.valueOf(trigger[2])).find())
        .filter(trigger -> !catalog.policy().allowedFunctions().contains(trigger[1]))
        .map(
            trigger ->
                new Dependent(
                    Kind.ARGUMENT,
                    "trigger "
                        + trigger[0]
                        + " by an argument (allowFunctions(\""
                        + trigger[1]
                        + "\") if it goes on working)"))
        .toList();
  }

  /** A name as a word of its own. */
  static Pattern word(String name) {
    return Pattern.compile(
        "(?<![\\p{L}\\p{N}_$])" + Pattern.quote(name) + "(?![\\p{L}\\p{N}_$])",
        Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
  }

  private static Optional<Dependent> of(
      String catalogName,
      String description,
      @Nullable String kind,
      @Nullable String relation,
      @Nullable String trigger) {
    if (trigger != null && trigger.startsWith(RowTriggers.OURS)) {
      return Optional.empty();
    }
    String name = description;
    Kind found =
        switch (catalogName.toLowerCase(Locale.ROOT)) {
          case "pg_rewrite" -> {
            boolean view = "v".equals(kind) || "m".equals(kind);
            if (view) {
              name = ("m".equals(kind) ? "materialized view " : "view ") + relation;
            }
            yield view ? Kind.VIEW : Kind.RULE;
          }
          case "pg_attrdef", "pg_class" -> Kind.GENERATED_COLUMN;
          case "pg_policy" -> Kind.POLICY;
          case "pg_trigger" -> Kind.TRIGGER;
          case "pg_proc" -> Kind.FUNCTION;
          case "pg_publication_rel" -> Kind.PUBLICATION;
          case "pg_statistic_ext" -> Kind.STATISTICS;
          default -> Kind.OTHER;
        };
    if (found == Kind.GENERATED_COLUMN) {
      name = "generated " + description.replace("default value for ", "");
    }
    return Optional.of(new Dependent(found, name));
  }
}
