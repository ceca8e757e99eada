package dev.zerodowntime.orchestrator.mysql;

/**
 * What changes with every restart and fail-over of a server, as SQL that a user without any global
 * right can execute.
 *
 * <p>It is who the server is and the second it was started in. That second is the statement's time
 * less the server's uptime, which the server reckons from the statement's time too: so it comes out
 * the same in every statement, whenever that is, and whatever the session's timestamp is set to.
 */
final class Incarnation {

  private Incarnation() {}

  /** An SQL expression of a text. */
  static String sql(MysqlVersion version) {
    return version.mariadb()
        ? "CONCAT(@@global.hostname, ':', @@global.port, '/', @@global.server_id, ' ', "
            + started("information_schema.GLOBAL_STATUS")
            + ")"
        // Its name is the same whether the rest of performance_schema is on.
        : "CONCAT(@@global.server_uuid, ' ', " + started("performance_schema.global_status") + ")";
  }

  private static String started(String status) {
    return "(SELECT UNIX_TIMESTAMP() - CAST(VARIABLE_VALUE AS SIGNED) FROM "
        + status
        + " WHERE VARIABLE_NAME = 'UPTIME')";
  }
}
