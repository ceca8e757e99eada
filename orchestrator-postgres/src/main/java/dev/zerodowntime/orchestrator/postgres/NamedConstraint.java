package dev.zerodowntime.orchestrator.postgres;

import java.sql.SQLException;
import java.util.Optional;

/**
 * A table's constraint, found by its name.
 *
 * @param name unquoted
 * @param type {@code c} check, {@code f} foreign key, {@code p} primary key, {@code u} unique,
 *     {@code x} exclusion, {@code n} NOT NULL, {@code t} constraint trigger
 * @param definition what follows its name, qualified, without NOT VALID
 * @param validated whether it holds for all rows
 * @param inherited whether it comes from a parent table
 * @param partner the table at the other end of a foreign key, quoted and qualified; else empty
 * @param comment its comment, or empty
 */
record NamedConstraint(
    String name,
    String type,
    String definition,
    boolean validated,
    boolean inherited,
    String partner,
    String comment) {

  private static final String NAMED =
      "SELECT k.conname, k.contype::text, regexp_replace(pg_get_constraintdef(k.oid), ' NOT"
          + " VALID$', ''), k.convalidated, k.coninhcount > 0, CASE WHEN f.oid IS NULL THEN '' ELSE"
          + " format('%I.%I', n.nspname, f.relname) END, coalesce(obj_description(k.oid,"
          + " 'pg_constraint'), '') FROM pg_constraint k LEFT JOIN pg_class f ON f.oid ="
          + " nullif(k.confrelid, 0) LEFT JOIN pg_namespace n ON n.oid = f.relnamespace WHERE"
          + " k.conrelid = ?::bigint::oid AND k.conname = ?";

  static Optional<NamedConstraint> read(Catalog catalog, CatalogTable table, String name)
      throws SQLException {
    return catalog
        .list(
            NAMED,
            row ->
                new NamedConstraint(
                    row.getString(1),
                    row.getString(2),
                    row.getString(3),
                    row.getBoolean(4),
                    row.getBoolean(5),
                    row.getString(6),
                    row.getString(7)),
            table.oid(),
            name)
        .stream()
        .findFirst();
  }
}
