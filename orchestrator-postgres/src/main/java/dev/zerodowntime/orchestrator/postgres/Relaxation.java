package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What rejects, or could one day reject, a row that omits a column. */
final class Relaxation {

  private final Catalog catalog;
  private final CatalogTable table;
  private final CatalogColumn column;
  private final List<CatalogConstraint> constraints;
  private final List<CatalogIndex> indexes;
  private final Trial trial;

  /**
   * Takes stock.
   *
   * @param constraints those that mention the column
   * @param indexes those that mention the column
   * @param trial an empty copy of the table
   */
  Relaxation(
      Catalog catalog,
      CatalogTable table,
      CatalogColumn column,
      List<CatalogConstraint> constraints,
      List<CatalogIndex> indexes,
      Trial trial) {
    this.catalog = catalog;
    this.table = table;
    this.column = column;
    this.constraints = constraints;
    this.indexes = indexes;
    this.trial = trial;
  }

  /** Notes what has to go, with all that is needed to bring it back. */
  void describe(Map<String, Object> facts) throws SQLException {
    if (column.generated() || !column.identity().isEmpty()) {
      // The server gives it a value of its own.
      facts.put(DropColumnCheck.CHECKS, List.of());
      return;
    }
    String omitted = column.defaults().effective();
    if (omitted != null && collides(omitted)) {
      column.defaults().note(facts);
      omitted = null;
    }
    boolean retyped =
        !column.type().equals(column.baseType())
            && !trial.accepts("SELECT CAST((" + sql(omitted) + ") AS " + column.type() + ")");
    if (retyped) {
      facts.put(DropColumnCheck.DOMAIN, column.type());
      facts.put(DropColumnCheck.BASE_TYPE, cheapType());
      if (omitted != null && column.defaults().own() == null) {
        // It goes with the domain.
        column.defaults().note(facts);
        omitted = null;
      }
    }
    boolean omittedIsNull = omitted == null || yieldsNull(omitted);
    if (column.notNull() && omittedIsNull) {
      facts.put(DropColumnCheck.NOT_NULL, true);
    }
    List<Object> checks = new ArrayList<>();
    for (CatalogConstraint constraint : constraints) {
      boolean rejects = constraint.isCheck() && couldReject(constraint, omitted);
      // Where the type changes, the server would go through all rows for each that stays.
      if (rejects || (constraint.isCheck() && retyped)) {
        Map<String, Object> check = new LinkedHashMap<>();
        check.put("name", constraint.name());
        check.put("definition", constraint.definition());
        check.put("validated", constraint.validated());
        check.put("comment", constraint.comment());
        check.put(DropColumnCheck.HARMLESS_CHECK, !rejects);
        checks.add(check);
      }
    }
    facts.put(DropColumnCheck.CHECKS, checks);
  }

  /**
   * Whether rows that get the default can be rejected for it: because another row has the same
   * value, or because the row it refers to is not there, now or later.
   */
  private boolean collides(String value) throws SQLException {
    if (constraints.stream().anyMatch(constraint -> constraint.type().equals("f"))) {
      return !yieldsNull(value);
    }
    boolean unique = indexes.stream().anyMatch(index -> index.unique() || index.exclusion());
    return unique && !isVolatile(value) && !yieldsNull(value);
  }

  /** A default that differs from row to row makes the server write every row. */
  private boolean isVolatile(String value) throws SQLException {
    return trial.wouldRewrite(
        "ALTER TABLE "
            + trial.name()
            + " ADD COLUMN zdo_trial "
            + column.baseType()
            + " DEFAULT "
            + value);
  }

  private boolean yieldsNull(String value) throws SQLException {
    // One that fails rejects the row as well as a null would.
    return !trial.accepts("SELECT " + value)
        || "t".equals(trial.text("SELECT (" + value + ") IS NULL"));
  }

  /** A check over this column alone is tried; one over others as well depends on their values. */
  private boolean couldReject(CatalogConstraint check, @Nullable String omitted)
      throws SQLException {
    if (check.columns().size() != 1) {
      return true;
    }
    String expression =
        check.definition().replaceFirst("^CHECK ", "").replaceFirst(" NO INHERIT$", "");
    String row =
        "SELECT 1 / (CASE WHEN "
            + expression
            + " IS NOT FALSE THEN 1 ELSE 0 END) FROM (SELECT CAST(("
            + sql(omitted)
            + ") AS "
            + column.baseType()
            + ") AS "
            + column.quoted()
            + ") AS "
            + Sql.quote(table.name());
    return !trial.accepts(row);
  }

  /**
   * The type that replaces the domain without a rewrite. From a domain the server doesn't know that
   * lengths are kept; then the type without its modifier has to do.
   */
  private String cheapType() throws SQLException {
    String base = column.baseType();
    String bare = trial.text("SELECT format_type(" + Sql.literal(base) + "::regtype, -1)");
    for (String type : List.of(base, bare)) {
      String alter =
          "ALTER TABLE " + trial.name() + " ALTER COLUMN " + column.quoted() + " TYPE " + type;
      if (!trial.wouldRewrite(alter)) {
        requireIndexesStay(alter, type);
        return type;
      }
    }
    throw catalog.refuse(
        "domain "
            + column.type()
            + " of column \""
            + column.name()
            + "\" rejects rows that omit it, and changing it to "
            + base
            + " would rewrite table "
            + table.display(),
        "ALTER DOMAIN " + column.type() + " so that it accepts NULL.");
  }

  /** Building one anew takes its time, and nobody could use the table meanwhile. */
  private void requireIndexesStay(String alter, String type) throws SQLException {
    for (CatalogIndex index : indexes) {
      if (trial.wouldRebuild(index.definition(), alter)) {
        throw catalog.refuse(
            "domain "
                + column.type()
                + " of column \""
                + column.name()
                + "\" rejects rows that omit it, and changing it to "
                + type
                + " would build index "
                + Sql.quote(index.name())
                + " anew under an exclusive lock",
            "Drop that index first, or ALTER DOMAIN "
                + column.type()
                + " so that it accepts NULL.");
      }
    }
  }

  private static String sql(@Nullable String omitted) {
    return omitted == null ? "NULL" : omitted;
  }
}
