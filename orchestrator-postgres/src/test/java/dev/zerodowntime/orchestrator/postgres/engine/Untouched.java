package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.OrchestratorException;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/**
 * What a refusal must leave as it was: every definition and every row outside the control schema,
 * and who is counted. Rows are compared with their place and transaction, so that an update that is
 * undone shows too.
 */
final class Untouched {

  private static final String OURS =
      " n.nspname NOT IN ('pg_catalog', 'information_schema', 'orchestrator')"
          + " AND n.nspname !~ '^pg_(toast|temp)'";

  private static final List<String> CATALOG =
      List.of(
          "SELECT n.nspname, c.relname, c.relkind, c.relowner, a.attnum, a.attname, a.attisdropped,"
              + " format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin,"
              + " d.adrelid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT"
              + " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 LEFT JOIN pg_attrdef d"
              + " ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE"
              + OURS
              + " ORDER BY c.oid, a.attnum",
          "SELECT k.oid, k.conname, pg_get_constraintdef(k.oid), k.convalidated FROM pg_constraint"
              + " k JOIN pg_namespace n ON n.oid = k.connamespace WHERE"
              + OURS
              + " ORDER BY k.oid",
          "SELECT i.indexrelid, pg_get_indexdef(i.indexrelid), i.indisvalid FROM pg_index i JOIN"
              + " pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
              + " WHERE"
              + OURS
              + " ORDER BY i.indexrelid",
          "SELECT t.oid, pg_get_triggerdef(t.oid), t.tgenabled FROM pg_trigger t JOIN pg_class c ON"
              + " c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE"
              + OURS
              + " ORDER BY t.oid",
          "SELECT p.oid, p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
              + " WHERE"
              + OURS
              + " ORDER BY p.oid",
          "SELECT n.nspname FROM pg_namespace n WHERE" + OURS + " ORDER BY 1");

  private Untouched() {}

  /** Everything that a refusal must not change. */
  static List<List<Object>> of(TestDatabase database) {
    List<List<Object>> all = new ArrayList<>();
    CATALOG.forEach(each -> all.addAll(database.rows(each)));
    for (List<Object> table :
        database.rows(
            "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON"
                + " n.oid = c.relnamespace WHERE c.relkind = 'r' AND"
                + OURS
                + " ORDER BY 1")) {
      all.addAll(
          database.rows(
              "SELECT ctid::text, xmin::text, t::text FROM " + table.get(0) + " t ORDER BY ctid"));
    }
    String member =
        database.queryOne("SELECT coalesce(to_regclass('orchestrator.member')::text, '')");
    if (!member.isEmpty()) {
      all.addAll(database.rows("SELECT id, release FROM orchestrator.member ORDER BY id"));
      all.addAll(
          database.rows(
              "SELECT id, reached, entering FROM orchestrator.migration WHERE reached > 0"));
    }
    return all;
  }

  /** Whatever is called must be refused with that code, say all of that, and change nothing. */
  static <E extends OrchestratorException> E refuses(
      TestDatabase database, Class<E> type, ErrorCode code, ThrowingCallable call, String... says) {
    List<List<Object>> before = of(database);
    Throwable thrown = catchThrowable(call);
    assertThat(thrown).isInstanceOf(type);
    E refused = type.cast(thrown);
    assertThat(refused.code()).as(refused.getMessage()).isEqualTo(code);
    assertThat(refused).hasMessageContainingAll(says);
    assertThat(refused.remedy()).isNotBlank();
    assertThat(refused).hasMessageContaining(refused.remedy());
    assertThat(of(database)).isEqualTo(before);
    return refused;
  }
}
