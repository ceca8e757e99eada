package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Finding;
import dev.zerodowntime.orchestrator.spi.DoctorSql;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Who else gets the rows: subscribers of logical replication, and whatever captures changes for
 * other systems. What they make of a new column is theirs.
 */
final class SubscribersCheck implements DoctorSql.Check {

  private static final String PUBLICATIONS =
      "SELECT p.pubname || CASE WHEN p.puballtables THEN ' (all tables)' ELSE ' (tables: ' ||"
          + " (SELECT count(*) FROM pg_catalog.pg_publication_tables t WHERE t.pubname ="
          + " p.pubname) || ')' END FROM pg_catalog.pg_publication p ORDER BY 1";

  private static final String SLOTS =
      "SELECT slot_name || ' (' || plugin || CASE WHEN active THEN '' ELSE ', nobody reads it' END"
          + " || ')' FROM pg_catalog.pg_replication_slots WHERE slot_type = 'logical' AND database ="
          + " pg_catalog.current_database() ORDER BY 1";

  @Override
  public String subject() {
    return "publications and change capture";
  }

  @Override
  public List<Finding> look(DoctorSql.Examined what, Connection connection) throws SQLException {
    if (!what.application()) {
      return List.of();
    }
    List<Finding> findings = new ArrayList<>();
    List<String> publications = Rows.of(connection, PUBLICATIONS, row -> row.getString(1));
    List<String> slots = Rows.of(connection, SLOTS, row -> row.getString(1));
    if (!publications.isEmpty()) {
      findings.add(
          Finding.warn(
              subject(),
              "publications " + publications + " send rows with the columns that they have",
              "Subscribers need a new column before it is there; phases that bring one to a table"
                  + " that is published with all its columns wait for approve(id, phase)."));
    }
    if (!slots.isEmpty()) {
      findings.add(
          Finding.warn(
              subject(),
              "logical replication slots "
                  + slots
                  + ": who reads them sees new, renamed and quarantined columns, and each row that a"
                  + " backfill changes",
              "Make sure that readers take columns they don't know; drop a slot that nobody reads:"
                  + " it keeps write-ahead log, and a backfill writes much of it."));
    }
    return findings.isEmpty() ? List.of(Finding.ok(subject(), "none")) : findings;
  }
}
