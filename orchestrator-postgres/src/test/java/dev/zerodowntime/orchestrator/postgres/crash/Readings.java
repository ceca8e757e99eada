package dev.zerodowntime.orchestrator.postgres.crash;

import dev.zerodowntime.orchestrator.testing.crash.Dump;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * A PostgreSQL database as text, without what may differ between two runs that did the same: times,
 * object ids, positions of columns.
 */
final class Readings {

  private static final String OURS = "n.nspname IN ('public', 'orchestrator')";

  private static final String CATALOG =
      """
      SELECT format('relation %s.%s kind=%s acl=%s options=%s identity=%s comment=%s', n.nspname,
          c.relname, c.relkind, c.relacl, c.reloptions, c.relreplident, obj_description(c.oid,
          'pg_class')) AS line
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE @ AND c.relkind <> 'c'
      UNION ALL
      SELECT format('column %s.%s.%s %s collation=%s notnull=%s default=%s identity=%s generated=%s'
          || ' stats=%s storage=%s compression=%s options=%s acl=%s comment=%s', n.nspname,
          c.relname, a.attname, format_type(a.atttypid, a.atttypmod), l.collname, a.attnotnull,
          pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated, a.attstattarget,
          a.attstorage, a.attcompression, a.attoptions, a.attacl, col_description(c.oid, a.attnum))
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          LEFT JOIN pg_collation l ON l.oid = a.attcollation
        WHERE @ AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v')
      UNION ALL
      SELECT format('index %s valid=%s ready=%s live=%s primary=%s replica=%s constraint=%s',
          pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indislive, i.indisprimary,
          i.indisreplident, (SELECT conname FROM pg_constraint WHERE conindid = i.indexrelid
          AND contype IN ('p', 'u', 'x')))
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace WHERE @
      UNION ALL
      SELECT format('constraint %s on %s %s valid=%s comment=%s', k.conname, k.conrelid::regclass,
          pg_get_constraintdef(k.oid), k.convalidated, obj_description(k.oid, 'pg_constraint'))
        FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE @
      UNION ALL
      SELECT format('%s is a part of %s %s', inhrelid::regclass, inhparent::regclass,
          inhdetachpending) FROM pg_inherits
      UNION ALL
      SELECT format('trigger %s enabled=%s comment=%s', pg_get_triggerdef(t.oid), t.tgenabled,
          obj_description(t.oid, 'pg_trigger'))
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace WHERE @ AND NOT t.tgisinternal
      UNION ALL
      SELECT format('function %s acl=%s comment=%s', pg_get_functiondef(p.oid), p.proacl,
          obj_description(p.oid, 'pg_proc'))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE @ AND p.prokind = 'f'
      UNION ALL
      SELECT format('sequence %s of %s', d.objid::regclass, pg_describe_object(d.refclassid,
          d.refobjid, d.refobjsubid))
        FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
        WHERE d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
      UNION ALL
      SELECT 'statistics ' || pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s
      UNION ALL
      SELECT format('enumeration %s: %s', e.enumtypid::regtype, string_agg(e.enumlabel, ', '
          ORDER BY e.enumsortorder)) FROM pg_enum e GROUP BY e.enumtypid
      UNION ALL
      SELECT format('schema %s acl=%s', n.nspname, n.nspacl) FROM pg_namespace n
        WHERE n.nspname !~ '^pg_(toast|temp)'
      """
          .replace("@", OURS);

  private static final String ROWS =
      """
      SELECT 'users ' || to_jsonb(users)::text AS line FROM users
      UNION ALL SELECT 'countries ' || to_jsonb(countries)::text FROM countries
      UNION ALL SELECT 'notes ' || to_jsonb(notes)::text FROM notes
      UNION ALL SELECT 'events_3 ' || to_jsonb(events_3)::text FROM events_3
      UNION ALL SELECT 'events ' || to_jsonb(events)::text FROM events
      UNION ALL SELECT format('sequence %s %s', last_value, is_called) FROM name_numbers
      """;

  private static final String LEFT =
      """
      SELECT format('lock %s %s of %s', l.locktype, l.mode, a.query) AS line
        FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE a.datname = current_database() AND l.pid <> pg_backend_pid()
          AND a.backend_type = 'client backend'
      UNION ALL
      SELECT format('session %s: %s', state, query) FROM pg_stat_activity
        WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
          AND backend_type = 'client backend'
      UNION ALL
      SELECT 'prepared ' || gid FROM pg_prepared_xacts WHERE database = current_database()
      UNION ALL
      SELECT 'unusable index ' || indexrelid::regclass FROM pg_index
        WHERE NOT (indisvalid AND indisready AND indislive)
      UNION ALL
      SELECT '@' || conname FROM pg_constraint WHERE NOT convalidated
      """
          .replace("@", Dump.UNVALIDATED);

  /**
   * Whoever says it again consents again, unless the first word was made use of meanwhile: how
   * often is the clock's. So is whether the lease of one who died is over.
   */
  private static final String CONTROL =
      """
      SELECT 'migration ' || regexp_replace((to_jsonb(m) - '{ordinal,since,created_at,finished_at,
          fit_up_since,fit_down_since,target_by}'
          ::text[])::text, '"was\\W+\\d+/\\d+', '"was', 'g') || ' finished=' || (m.finished_at IS NOT NULL) AS line
        FROM orchestrator.migration m
      UNION ALL SELECT format('release %s %s %s %s %s', application, release, stages, declared,
          forgotten) FROM orchestrator.release
      UNION ALL SELECT format('application %s', name) FROM orchestrator.application
      UNION ALL SELECT format('pin %s %s', application, label) FROM orchestrator.pinned_member
      UNION ALL SELECT DISTINCT format('approval %s %s spent=%s', migration, phase,
          spent_at IS NOT NULL) FROM orchestrator.approval
      UNION ALL SELECT format('lease %s of one who closed', l.token) FROM orchestrator.lease l
        JOIN orchestrator.member m ON m.id = l.holder WHERE m.closed_at IS NOT NULL
      UNION ALL SELECT format('fleet %s', id) FROM orchestrator.fleet
      UNION ALL SELECT format('control %s %s %s %s', version, min_reader, environment, paused)
        FROM orchestrator.control
      UNION ALL SELECT format('history %s %s %s %s', version, description, checksum, success)
        FROM orchestrator.orchestrator_history WHERE version IS NOT NULL
      """;

  /** In the order of the log, which is the order of the commits: there is one driver at a time. */
  private static final String DONE =
      """
      SELECT line FROM (
        SELECT id, concat_ws(' ', kind, migration, phase, step, CASE WHEN outcome IN ('APPLIED',
            'FOUND_DONE') THEN 'DONE' ELSE outcome END, CASE WHEN kind = 'PHASE' OR outcome =
            'VERIFIED' THEN detail END) AS line
          FROM orchestrator.event
          WHERE kind IN ('PHASE', 'STEP', 'DECLARED', 'REDECLARED', 'POLICY',
            'FAILED')
        UNION ALL
        SELECT 1000000000 + row_number() OVER (ORDER BY migration, step), format(
            'backfill %s %s %s sweep=%s cursor=%s rows=%s left=%s', migration, step, state, sweep,
            cursor_key, rows_done, left_over)
          FROM orchestrator.backfill) all_of_it
        ORDER BY id
      """;

  private Readings() {}

  static List<String> of(Statement statement, Dump.Part part) throws SQLException {
    return switch (part) {
      case LEFT -> lines(statement, LEFT + " ORDER BY 1");
      case CATALOG -> lines(statement, CATALOG + " ORDER BY 1");
      case ROWS -> lines(statement, ROWS + " ORDER BY 1");
      case CONTROL -> lines(statement, CONTROL + " ORDER BY 1");
      case DONE -> lines(statement, DONE);
    };
  }

  private static List<String> lines(Statement statement, String sql) throws SQLException {
    List<String> lines = new ArrayList<>();
    try (ResultSet row = statement.executeQuery(sql)) {
      while (row.next()) {
        lines.add(row.getString(1));
      }
    }
    return lines;
  }
}
