package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.operation.ColumnRename;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.Probe;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import dev.zerodowntime.orchestrator.spi.VerifyStep;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A second column in the place of one, under another name: what operations that make one have in
 * common, whoever keeps the two in step.
 *
 * <p>The new column is invisible as long as there is code that doesn't know it. In its quarantine
 * the old one is hidden and keeps its name: to rename it would take other triggers, and between two
 * statements that each commit by itself there would be none.
 */
final class ColumnTwin {

  private static final String IN_PLACE = ", ALGORITHM=INPLACE, LOCK=NONE";

  private final MysqlVersion version;
  private final String schema;
  private final String table;
  private final String from;
  private final String to;
  private final String oldDefinition;
  private final String definition;
  private final boolean notNull;
  private final @Nullable String placeholder;
  private final boolean defaulted;
  private final List<Map<String, Object>> indexes;
  private final String hash;
  private final Map<String, Object> facts;

  /** Of a column that triggers keep in step. */
  ColumnTwin(
      String migration,
      ColumnRename rename,
      Target target,
      Map<String, Object> facts,
      MysqlVersion version) {
    this(migration, rename, target, facts, version, false);
  }

  /**
   * Of a column.
   *
   * @param defaulted whether rows that omit both columns need the default in both, for no trigger
   *     gives one what the other has
   */
  ColumnTwin(
      String migration,
      ColumnRename rename,
      Target target,
      Map<String, Object> facts,
      MysqlVersion version,
      boolean defaulted) {
    this.version = version;
    this.schema = target.schema();
    this.table = rename.table();
    this.from = Facts.required(facts, ColumnTwinCheck.OLD);
    this.to = rename.to();
    this.oldDefinition = Facts.required(facts, ColumnTwinCheck.DEFINITION);
    String other = Facts.text(facts, ColumnTwinCheck.NEW_DEFINITION);
    this.definition = other == null ? oldDefinition : other;
    this.notNull = Facts.flag(facts, ColumnTwinCheck.NOT_NULL);
    this.placeholder = Facts.text(facts, ColumnTwinCheck.PLACEHOLDER);
    this.indexes = Facts.maps(facts, ColumnTwinCheck.INDEXES);
    this.hash = Sql.hash8(migration, schema);
    this.facts = facts;
    this.defaulted = defaulted;
  }

  /** The old column, unquoted. */
  String from() {
    return from;
  }

  /** The new column, unquoted. */
  String to() {
    return to;
  }

  boolean notNull() {
    return notNull;
  }

  /** Whether a unique index has the column in it. */
  static boolean unique(Map<String, Object> facts) {
    return Facts.maps(facts, ColumnTwinCheck.INDEXES).stream()
        .anyMatch(each -> Facts.flag(each, "unique"));
  }

  /** The new column's index until CONTRACT. */
  private String twin(String index) {
    return "zdo_new_" + hash + "_" + Sql.hash8(index);
  }

  /** The old column's index from then on. */
  private String aside(String index) {
    return "zdo_old_" + hash + "_" + Sql.hash8(index);
  }

  /** The new column until CONTRACT: whoever keeps it in step gives it what the old one has. */
  private String twinDefinition() {
    String kept = defaulted ? definition : ColumnText.withDefault(definition, null);
    return notNull ? ColumnText.withNotNull(kept, false) : definition;
  }

  /** The old column where rows may omit it. */
  private String relaxed() {
    return placeholder == null ? oldDefinition : ColumnText.withDefault(oldDefinition, placeholder);
  }

  /** The old column where rows may omit it and then have no value. */
  private String loose() {
    return notNull
        ? ColumnText.withNotNull(ColumnText.withDefault(oldDefinition, null), false)
        : oldDefinition;
  }

  private String column(String column, String condition) {
    return Probes.column(schema, table, column, condition);
  }

  private Probe has(String column, String condition) {
    return Probes.all(column(column, condition));
  }

  private String index(String index) {
    return Probes.index(schema, table, index);
  }

  // ---- the new column

  Step add() {
    return alter(
        "add-column",
        "adds the new column, invisible; touches no row",
        "ADD COLUMN "
            + Sql.quote(to)
            + " "
            + (notNull ? ColumnText.withDefault(twinDefinition(), null) : twinDefinition())
            + " INVISIBLE"
            + Ddl.instant(),
        has(to, "TRUE"),
        false);
  }

  /** On its own: rows that are there stay without. */
  List<Step> setDefault() {
    String value = ColumnText.defaultOf(definition);
    return value == null
        ? List.of()
        : List.of(
            alter(
                "set-default",
                "rows that omit both columns get the default in both",
                "ALTER COLUMN " + Sql.quote(to) + " SET DEFAULT " + value + Ddl.instant(),
                has(to, "COLUMN_DEFAULT IS NOT NULL AND COLUMN_DEFAULT <> 'NULL'"),
                false));
  }

  /** Whether the new column is invisible, as a condition. */
  String hidden() {
    return column(to, "EXTRA LIKE '%INVISIBLE%'");
  }

  Step dropNew() {
    return drop(to, "new", "drops the new column, which has nothing that the old one doesn't");
  }

  Step dropOld() {
    return drop(from, "old", "drops the old column; there is no way back");
  }

  private Step drop(String column, String which, String summary) {
    return alter(
        "drop-" + which + "-column",
        summary,
        "DROP COLUMN " + Sql.quote(column) + Ddl.instant(),
        Probes.all(Probes.not(column(column, "TRUE"))),
        false);
  }

  /** What a batch assigns besides, to change nothing but the column. */
  String kept() {
    return Touched.kept(Sql.qualified(schema, table), Facts.texts(facts, ColumnTwinCheck.STAMPED));
  }

  /** Rows for which a condition holds. */
  Scan scan(String pending) {
    return new Scan(Sql.qualified(schema, table), Facts.key(facts), pending);
  }

  /** Whether the two differ in a byte, as a condition; for columns of the same type. */
  String different() {
    return "NOT " + SyncTriggers.same(Sql.quote(to), Sql.quote(from));
  }

  Step copy() {
    return copy("copy", "copies values where the two differ", to, from);
  }

  Step copyBack() {
    return copy("copy-back", "copies the new column's values back where the two differ", from, to);
  }

  private Step copy(String step, String summary, String column, String other) {
    return BackfillStep.assign(
        step,
        summary,
        scan(different()),
        Sql.quote(column) + " = " + Sql.quote(other) + kept(),
        null,
        true);
  }

  Step verify(String step, String pending) {
    return new VerifyStep(step, "both columns have the same values, byte by byte", scan(pending));
  }

  /** MariaDB has no word for it but the whole definition. */
  Step visible(boolean visible) {
    return alter(
        visible ? "show-column" : "hide-column",
        visible
            ? "SELECT * and INSERT without a column list include the new column from now on"
            : "SELECT * and INSERT without a column list leave the new column out",
        (version.mariadb()
                ? "MODIFY COLUMN "
                    + Sql.quote(to)
                    + " "
                    + twinDefinition()
                    + (visible ? "" : " INVISIBLE")
                : "ALTER COLUMN " + Sql.quote(to) + " SET " + (visible ? "VISIBLE" : "INVISIBLE"))
            + Ddl.instant(),
        has(to, "EXTRA " + (visible ? "NOT " : "") + "LIKE '%INVISIBLE%'"),
        true);
  }

  // ---- NOT NULL and the default

  Step setNotNull() {
    return online(
        "set-not-null",
        "the new column gets the default and NOT NULL; rewrites the table, with reads and writes"
            + " going on",
        "MODIFY COLUMN " + Sql.quote(to) + " " + definition + IN_PLACE,
        has(to, "IS_NULLABLE = 'NO'"));
  }

  Step dropNotNull() {
    return online(
        "drop-not-null",
        "the new column has neither default nor NOT NULL; rewrites the table, with reads and writes"
            + " going on",
        "MODIFY COLUMN " + Sql.quote(to) + " " + twinDefinition() + IN_PLACE,
        has(to, "IS_NULLABLE = 'YES'"));
  }

  /** Both by one rebuild. Nothing to do where they may be NULL. */
  List<Step> handOver() {
    return notNull
        ? List.of(
            online(
                "hand-over-not-null",
                "the new column gets the default and NOT NULL, and the old one neither; rewrites"
                    + " the table, with reads and writes going on",
                "MODIFY COLUMN "
                    + Sql.quote(to)
                    + " "
                    + definition
                    + ", MODIFY COLUMN "
                    + Sql.quote(from)
                    + " "
                    + loose()
                    + IN_PLACE,
                Probes.all(column(to, "IS_NULLABLE = 'NO'"), column(from, "IS_NULLABLE = 'YES'"))))
        : List.of();
  }

  /** The reverse of {@link #handOver}; the old column must be visible. */
  List<Step> handBack() {
    return notNull
        ? List.of(
            online(
                "hand-back-not-null",
                "the old column has the default and NOT NULL again, and the new one neither;"
                    + " rewrites the table, with reads and writes going on",
                "MODIFY COLUMN "
                    + Sql.quote(to)
                    + " "
                    + twinDefinition()
                    + ", MODIFY COLUMN "
                    + Sql.quote(from)
                    + " "
                    + oldDefinition
                    + IN_PLACE,
                Probes.all(column(to, "IS_NULLABLE = 'YES'"), column(from, "IS_NULLABLE = 'NO'"))))
        : List.of();
  }

  List<Step> setPlaceholder() {
    return placeholder == null
        ? List.of()
        : List.of(
            alter(
                "set-placeholder",
                "rows may omit the old column, which nobody reads any more",
                "ALTER COLUMN " + Sql.quote(from) + " SET DEFAULT " + placeholder + Ddl.instant(),
                has(from, "COLUMN_DEFAULT IS NOT NULL"),
                false));
  }

  List<Step> dropPlaceholder() {
    return placeholder == null
        ? List.of()
        : List.of(
            alter(
                "drop-placeholder",
                "the old column has no default again",
                "ALTER COLUMN " + Sql.quote(from) + " DROP DEFAULT" + Ddl.instant(),
                has(from, "COLUMN_DEFAULT IS NULL"),
                false));
  }

  // ---- the old column

  /** It keeps its name: no trigger has to be changed, and nothing is ever out of step. */
  Step quarantine(boolean hidden) {
    return quarantine(hidden, relaxed());
  }

  /** The same where {@link #handOver} has let it be NULL. */
  Step quarantineLoose(boolean hidden) {
    return quarantine(hidden, loose());
  }

  private Step quarantine(boolean hidden, String definition) {
    return alter(
        hidden ? "quarantine-column" : "restore-column",
        hidden
            ? "hides the old column, with its values; it keeps its name"
            : "brings the old column back from quarantine",
        (version.mariadb()
                ? "MODIFY COLUMN "
                    + Sql.quote(from)
                    + " "
                    + definition
                    + (hidden ? " INVISIBLE" : "")
                : "ALTER COLUMN " + Sql.quote(from) + " SET " + (hidden ? "INVISIBLE" : "VISIBLE"))
            + Ddl.instant(),
        has(from, "EXTRA " + (hidden ? "" : "NOT ") + "LIKE '%INVISIBLE%'"),
        true);
  }

  // ---- indexes

  private static String unique(boolean already) {
    return (already ? MysqlLongStatements.NO_DUPLICATES : "") + "UNIQUE ";
  }

  /**
   * The new column's counterparts of the old one's indexes.
   *
   * @param sameValues whether both columns have the same values: what is unique there is so here
   */
  List<Step> addIndexes(boolean sameValues) {
    List<Step> steps = new ArrayList<>();
    for (Map<String, Object> each : indexes) {
      String twin = twin(Facts.required(each, "name"));
      steps.add(
          online(
              "add-index-" + Facts.required(each, "name"),
              "builds the new column's counterpart of the index",
              "ADD "
                  + (Facts.flag(each, "unique") ? unique(sameValues) : "")
                  + "KEY "
                  + Sql.quote(twin)
                  + Facts.required(each, "clause")
                  + Ddl.noCopy(version),
              Probes.all(index(twin))));
    }
    return steps;
  }

  List<Step> dropNewIndexes() {
    return dropIndexes(
        "drop-index-", "drops the new column's counterpart of the index", this::twin);
  }

  List<Step> dropOldIndexes() {
    return dropIndexes("drop-old-index-", "drops the old column's index", this::aside);
  }

  private List<Step> dropIndexes(String step, String summary, UnaryOperator<String> named) {
    List<Step> steps = new ArrayList<>();
    for (Map<String, Object> each : indexes) {
      String name = Facts.required(each, "name");
      String dropped = named.apply(name);
      steps.add(
          alter(
              step + name,
              summary,
              "DROP INDEX " + Sql.quote(dropped) + Ddl.noCopy(version),
              Probes.all(Probes.not(index(dropped))),
              false));
    }
    return steps;
  }

  /** The indexes' names go to the new column's. */
  List<Step> handOverIndexes() {
    return indexes.stream()
        .map(each -> Facts.required(each, "name"))
        .map(name -> renameIndex(name, twin(name), aside(name)))
        .toList();
  }

  List<Step> handBackIndexes() {
    return indexes.stream()
        .map(each -> Facts.required(each, "name"))
        .map(name -> renameIndex(name, aside(name), twin(name)))
        .toList();
  }

  /** Both at once: the name is never without an index. */
  private Step renameIndex(String name, String incoming, String outgoing) {
    return alter(
        "rename-index-" + name,
        "the index's name goes to its counterpart",
        "RENAME INDEX "
            + Sql.quote(name)
            + " TO "
            + Sql.quote(outgoing)
            + ", RENAME INDEX "
            + Sql.quote(incoming)
            + " TO "
            + Sql.quote(name)
            + Ddl.catalogOnly(version),
        Probes.all(Probes.not(index(incoming)), index(outgoing)),
        false);
  }

  private Step online(String step, String summary, String change, Probe done) {
    return Ddl.online(step, summary, schema, table, change, done);
  }

  private Step alter(
      String step, String summary, String change, Probe done, boolean changesRowType) {
    return Ddl.step(step, summary, schema, table, change, done, changesRowType);
  }
}
