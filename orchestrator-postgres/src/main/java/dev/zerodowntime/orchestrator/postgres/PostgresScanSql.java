package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.RowChange;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.ScanSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Walks along a key by row values, which PostgreSQL turns into one range of the key's index.
 *
 * <p>The table is never given an alias, so that expressions may name its columns bare or with the
 * table's name. Selected keys are always renamed: {@code SELECT k::text ... ORDER BY k} would sort
 * by the text.
 */
final class PostgresScanSql implements ScanSql {

  @Override
  public String lastKey(Scan scan) {
    return "SELECT "
        + selected(scan)
        + " FROM "
        + scan.table()
        + " ORDER BY "
        + each(scan, key -> key.name() + " DESC")
        + " LIMIT 1";
  }

  @Override
  public String chunkEnd(Scan scan, boolean bounded) {
    return "SELECT "
        + selected(scan)
        + ", count(*) OVER () FROM (SELECT "
        + names(scan)
        + " FROM "
        + scan.table()
        + " WHERE "
        + range(scan, bounded)
        + " ORDER BY "
        + names(scan)
        + " LIMIT CAST(? AS bigint)) AS zdo_chunk ORDER BY "
        + each(scan, key -> key.name() + " DESC")
        + " LIMIT 1";
  }

  @Override
  public String updateAll(BackfillStep step, boolean bounded) {
    Scan scan = step.scan();
    return "UPDATE "
        + scan.table()
        + " SET "
        + set(step)
        + " WHERE "
        + range(scan, bounded)
        + " AND ("
        + scan.pending()
        + ")";
  }

  @Override
  public String read(BackfillStep step, boolean bounded) {
    throw new UnsupportedOperationException("to come");
  }

  @Override
  public String readOne(BackfillStep step) {
    throw new UnsupportedOperationException("to come");
  }

  @Override
  public int write(Connection connection, String tag, BackfillStep step, List<Computed> rows)
      throws SQLException {
    throw new UnsupportedOperationException("to come");
  }

  @Override
  public String writtenHere(Scan scan) {
    return scan.table() + ".xmin = pg_catalog.pg_current_xact_id()::xid";
  }

  private static String set(BackfillStep step) {
    return ((RowChange.Assign) step.change()).set();
  }

  /**
   * Rows are locked first, without waiting, and judged in their newest version; so nothing is
   * waited for while locks are held. The lock is the one that an UPDATE of a plain column takes:
   * foreign keys that point to the row don't wait for it.
   */
  @Override
  public String update(BackfillStep step, boolean bounded) {
    Scan scan = step.scan();
    List<String> renamed = new ArrayList<>();
    List<String> joined = new ArrayList<>();
    for (int i = 0; i < scan.keys().size(); i++) {
      String name = scan.keys().get(i).name();
      renamed.add(name + " AS zdo_k" + i);
      joined.add(scan.table() + "." + name + " = zdo_rows.zdo_k" + i);
    }
    return "WITH zdo_rows AS MATERIALIZED (SELECT "
        + String.join(", ", renamed)
        + " FROM "
        + scan.table()
        + " WHERE "
        + range(scan, bounded)
        + " AND ("
        + scan.pending()
        + ") FOR NO KEY UPDATE SKIP LOCKED) UPDATE "
        + scan.table()
        + " SET "
        + set(step)
        + " FROM zdo_rows WHERE "
        + String.join(" AND ", joined);
  }

  @Override
  public String updateOne(BackfillStep step) {
    Scan scan = step.scan();
    return "UPDATE "
        + scan.table()
        + " SET "
        + set(step)
        + " WHERE ("
        + names(scan)
        + ") = ("
        + parameters(scan)
        + ") AND ("
        + scan.pending()
        + ")";
  }

  @Override
  public String pending(Scan scan, boolean bounded, String extra) {
    return "SELECT "
        + selected(scan)
        + " FROM "
        + scan.table()
        + " WHERE "
        + range(scan, bounded)
        + " AND ("
        + scan.pending()
        + ")"
        + (extra.isBlank() ? "" : " AND (" + extra + ")")
        + " ORDER BY "
        + names(scan)
        + " LIMIT CAST(? AS bigint)";
  }

  @Override
  public String countPending(Scan scan, boolean bounded) {
    return "SELECT count(*) FROM "
        + scan.table()
        + " WHERE "
        + range(scan, bounded)
        + " AND ("
        + scan.pending()
        + ")";
  }

  /** The planner's own way: the density that ANALYZE or VACUUM last saw, times today's size. */
  @Override
  public String estimate(Scan scan) {
    return "SELECT CASE WHEN coalesce(bool_or(c.reltuples < 0 AND"
        + " pg_catalog.pg_relation_size(c.oid) > 0), true) THEN -1 ELSE coalesce(sum(CASE"
        + " WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages *"
        + " (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::numeric)"
        + " ELSE greatest(c.reltuples, 0) END), 0)::bigint END FROM pg_catalog.pg_class c"
        + " WHERE c.relkind = 'r' AND (c.oid = "
        + Sql.regclass(scan.table())
        + " OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree("
        + Sql.regclass(scan.table())
        + ")))";
  }

  @Override
  public String limits() {
    return "SELECT set_config('statement_timeout', CAST(? AS bigint)::text, true),"
        + " set_config('lock_timeout', CAST(? AS bigint)::text, true)";
  }

  private static String range(Scan scan, boolean bounded) {
    String row = "(" + names(scan) + ")";
    String end = row + " <= (" + parameters(scan) + ")";
    return bounded ? row + " > (" + parameters(scan) + ") AND " + end : end;
  }

  private static String selected(Scan scan) {
    List<String> columns = new ArrayList<>();
    for (Scan.KeyColumn key : scan.keys()) {
      columns.add(key.name() + "::text AS zdo_k" + columns.size());
    }
    return String.join(", ", columns);
  }

  private static String names(Scan scan) {
    return each(scan, Scan.KeyColumn::name);
  }

  private static String parameters(Scan scan) {
    return each(scan, key -> "CAST(? AS " + key.type() + ")");
  }

  private static String each(Scan scan, Function<Scan.KeyColumn, String> part) {
    return scan.keys().stream().map(part).collect(Collectors.joining(", "));
  }
}
