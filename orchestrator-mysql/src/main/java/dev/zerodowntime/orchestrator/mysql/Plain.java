package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.spi.NetTarget;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Statements as a person writes them: names are quoted where they must be, and carry the database
 * where it isn't the one that scripts run in.
 *
 * @param target where the statements will run
 */
record Plain(NetTarget target) {

  private static final Pattern BARE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  /** What can't be a column's name without quotes, in any supported version of either server. */
  static final Set<String> RESERVED =
      Set.of(
          ("accessible add all alter analyze and as asc asensitive before between bigint "
                  + "binary blob both by call cascade case change char character check collate "
                  + "column condition constraint continue convert create cross cube cume_dist "
                  + "current_date current_role current_time current_timestamp current_user cursor "
                  + "database databases day_hour day_microsecond day_minute day_second dec decimal "
                  + "declare default delayed delete delete_domain_id delete_domain_ids dense_rank "
                  + "desc describe deterministic distinct distinctrow div do_domain_ids double "
                  + "drop dual each else elseif empty enclosed escaped except exists exit explain "
                  + "external false fetch first_value float float4 float8 for force foreign from "
                  + "fulltext function general generated get grant group grouping groups having "
                  + "high_priority hour_microsecond hour_minute hour_second if ignore "
                  + "ignore_domain_ids ignore_server_ids in index infile inner inout insensitive "
                  + "insert int int1 int2 int3 int4 int8 integer intersect interval into "
                  + "io_after_gtids io_before_gtids is iterate join json_table key keys kill lag "
                  + "last_value lateral lead leading leave left library like limit linear lines "
                  + "load localtime localtimestamp lock long longblob longtext loop low_priority "
                  + "manual master_bind master_demote_to_replica master_demote_to_slave "
                  + "master_heartbeat_period master_ssl_verify_server_cert match maxvalue "
                  + "mediumblob mediumint mediumtext middleint minute_microsecond minute_second "
                  + "mod modifies natural no_write_to_binlog not nth_value ntile null numeric of "
                  + "offset on optimize optimizer_costs option optionally or order out outer "
                  + "outfile over page_checksum parallel parse_vcol_expr partition percent_rank "
                  + "portion position precision primary procedure purge qualify range rank read "
                  + "read_write reads real recursive ref_system_id references regexp release "
                  + "rename repeat replace require resignal restrict return returning revoke right "
                  + "rlike row row_number rownum rows schema schemas second_microsecond select "
                  + "sensitive separator set show signal slow smallint spatial specific sql "
                  + "sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate "
                  + "sqlwarning ssl starting stats_auto_recalc stats_persistent stats_sample_pages "
                  + "stored straight_join system table tablesample terminated then tinyblob "
                  + "tinyint tinytext to trailing trigger true undo union unique unlock unsigned "
                  + "update usage use using utc_date utc_time utc_timestamp values varbinary "
                  + "varchar varcharacter varying virtual when where while window with write xor "
                  + "year_month zerofill")
              .split(" "));

  /** A name, quoted if it must be. */
  static String name(String name) {
    return BARE.matcher(name).matches() && !RESERVED.contains(name.toLowerCase(Locale.ROOT))
        ? name
        : Sql.quote(name);
  }

  static String names(List<String> names) {
    return names.stream().map(Plain::name).collect(Collectors.joining(", "));
  }

  /** A table of the target schema. */
  String in(String name) {
    return in(target.schema(), name);
  }

  /** The same of another schema, which always has to be said. */
  String in(String schema, String name) {
    return (target.qualified() || !schema.equals(target.schema()) ? name(schema) + "." : "")
        + name(name);
  }

  /** A table's column. */
  String column(String table, String column) {
    return in(table) + "." + name(column);
  }

  String alter(String table, String action) {
    return "ALTER TABLE " + in(table) + " " + action;
  }

  String modify(String table, String column, String definition) {
    return alter(table, "MODIFY COLUMN " + name(column) + " " + definition);
  }

  String renameColumn(String table, String from, String to) {
    return alter(table, "RENAME COLUMN " + name(from) + " TO " + name(to));
  }

  /** What keeps columns as they are that the server would set with every UPDATE. */
  String kept(String table, List<String> stamped) {
    return stamped.stream()
        .map(each -> ", " + column(table, each) + " = " + column(table, each))
        .collect(Collectors.joining());
  }

  /** Nobody knows whether a new database has it as well, and there is no IF NOT EXISTS. */
  void requireOurs(boolean there, String what) {
    if (there) {
      throw target.refuse(
          what + " was there when it began, and only you know whether a new database has it too",
          "Write its script by hand: an empty one if earlier scripts add it, else the statement"
              + " that plan() shows.");
    }
  }
}
