package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.Facts;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tables whose rows go to subscribers of logical replication with whatever columns they have. A
 * subscriber that lacks one stops at the first row with it, and until then write-ahead log is kept
 * here; nobody but its owner can see to that.
 */
final class Published {

  /** The names of the publications. */
  private static final String PUBLICATIONS = "publications";

  /** What the column is called that has been quarantined. */
  private static final String TOMBSTONE = "publishedTombstone";

  /** Those with a column list (since PostgreSQL 15) go on sending what is in it. */
  private static final String ALL_COLUMNS =
      "SELECT DISTINCT p.pubname FROM pg_publication p JOIN pg_publication_tables t ON t.pubname ="
          + " p.pubname WHERE t.schemaname = ? AND t.tablename = ? AND NOT EXISTS (SELECT FROM"
          + " pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = ?::bigint::oid AND"
          + " jsonb_typeof(to_jsonb(r) -> 'prattrs') <> 'null') ORDER BY 1";

  private Published() {}

  /**
   * Notes the publications that would send a new column too.
   *
   * @param tombstone what a column is called that is quarantined one day
   */
  static void note(Catalog catalog, CatalogTable table, String tombstone, Map<String, Object> facts)
      throws SQLException {
    List<String> publications =
        catalog.list(
            ALL_COLUMNS, row -> row.getString(1), table.schema(), table.name(), table.oid());
    if (publications.isEmpty()) {
      facts.remove(PUBLICATIONS);
    } else {
      facts.put(TOMBSTONE, tombstone);
      facts.put(PUBLICATIONS, publications);
    }
  }

  /** What has to be confirmed before a column is renamed to its tombstone. */
  static Optional<String> quarantine(Map<String, Object> facts, String table) {
    return consent(facts, table, String.valueOf(Facts.text(facts, TOMBSTONE)));
  }

  /**
   * What has to be confirmed before a column with a new name is there.
   *
   * @param table its name
   * @param column the new name
   * @return empty if nobody is sent it
   */
  static Optional<String> consent(Map<String, Object> facts, String table, String column) {
    List<String> publications = Facts.texts(facts, PUBLICATIONS);
    return publications.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "table "
                + Sql.quote(table)
                + " is published by "
                + publications
                + " with all of its columns, and from now on with "
                + Sql.quote(column)
                + ": a subscriber whose table lacks that column stops, and write-ahead log piles up"
                + " here; add it there first");
  }
}
