package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.operation.ColumnRename;
import dev.zerodowntime.orchestrator.operation.WidenKey;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.DdlStep;
import dev.zerodowntime.orchestrator.spi.Facts;
import dev.zerodowntime.orchestrator.spi.NetTarget;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.OperationType;
import dev.zerodowntime.orchestrator.spi.Scan;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.Target;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A key of a wider type is made beside the key, and takes its place and its name. */
final class PostgresWidenKey implements OperationSupport<WidenKey> {

  @Override
  public OperationType<WidenKey> type() {
    return WidenKey.TYPE;
  }

  @Override
  public Map<String, Object> preflight(
      WidenKey migration,
      Target target,
      int phase,
      Map<String, Object> known,
      Connection connection)
      throws SQLException {
    return new WidenKeyCheck(migration, target, connection)
        .facts(phase, twin(migration, target, Map.of()).trigger());
  }

  /** People go on working on the table for as long as the key has its old type. */
  @Override
  public boolean recaptures(int phase) {
    return phase <= WidenKey.CONTRACT;
  }

  /** The second column until it takes the key's name, unquoted. */
  static String shadow(WidenKey migration, Target target) {
    String prefix = "zdo_wide_" + Sql.hash8(migration.id(), target.schema()) + "_";
    return prefix + Sql.cut(migration.column(), Sql.MAX_NAME_BYTES - prefix.length());
  }

  private static ColumnTwin twin(WidenKey migration, Target target, Map<String, Object> facts) {
    Names names = new Names(migration.table(), migration.column(), shadow(migration, target));
    return new ColumnTwin(migration, names, target, facts);
  }

  /** The key as the old column, the second one as the new. */
  private record Names(String table, String from, String to) implements ColumnRename {}

  @Override
  public List<Step> steps(
      WidenKey migration,
      Target target,
      Map<String, Object> facts,
      int phase,
      Direction direction) {
    KeySwap swap = new KeySwap(twin(migration, target, facts));
    return direction == Direction.UP ? swap.up(phase) : swap.down(phase);
  }

  /** The steps. {@code from} is the key's name for good, whatever column has it. */
  private static final class KeySwap {

    private final ColumnTwin twin;
    private final ColumnFacts facts;
    private final String key;

    KeySwap(ColumnTwin twin) {
      this.twin = twin;
      this.facts = twin.facts();
      this.key = facts.text(WidenKeyCheck.KEY);
    }

    List<Step> up(int phase) {
      List<Step> steps = new ArrayList<>();
      switch (phase) {
        case WidenKey.EXPAND -> steps.add(expand());
        case WidenKey.BACKFILL ->
            steps.add(
                BackfillStep.assign(
                    "copy",
                    "keys of rows written before are copied",
                    new Scan(twin.table(), facts.keys(), differ(twin.to(), twin.from())),
                    twin.to() + " = " + twin.from(),
                    null,
                    true));
        case WidenKey.ENFORCE -> {
          steps.add(twin.verify("verify", differ(twin.to(), twin.from())));
          steps.addAll(new ColumnTwinConstraints(twin).addNotNull());
          steps.add(unique(true, twin.to()));
          steps.addAll(new ColumnTwinSettings(twin).add());
        }
        case WidenKey.CONTRACT -> {
          steps.add(twin.verify("verify-again", differsIfThere(twin.to())));
          steps.add(swap());
        }
        case WidenKey.PURGE -> {
          steps.add(
              twin.rowType(
                  "drop-column",
                  "the old column for good, and the trigger",
                  "NOT " + twin.column(twin.tombstone()),
                  drop(twin.tombstone())));
          steps.addAll(new ColumnTwinConstraints(twin).takeNames());
        }
        default -> throw new IllegalArgumentException("no phase " + phase);
      }
      return steps;
    }

    List<Step> down(int phase) {
      List<Step> steps = new ArrayList<>();
      switch (phase) {
        case WidenKey.EXPAND ->
            steps.add(
                twin.rowType(
                    "drop-column",
                    "the second column, which holds nothing but copies, and its trigger",
                    "NOT " + twin.column(twin.to()),
                    drop(twin.to())));
        case WidenKey.BACKFILL -> {
          // The copies stay, and are kept in step.
        }
        case WidenKey.ENFORCE -> {
          steps.add(
              twin.dropIndex("drop-unique", "the second column's index", twin.spare(key, true)));
          steps.addAll(new ColumnTwinConstraints(twin).dropNotNull());
        }
        case WidenKey.CONTRACT -> {
          steps.add(twin.verify("verify-back", differsIfThere(twin.tombstone())));
          steps.addAll(
              new ColumnTwinConstraints(twin)
                  .addNotNullAgain(twin.tombstone(), "NOT " + twin.column(twin.tombstone())));
          steps.add(unique(false, twin.tombstone()));
          steps.add(swapBack());
          steps.add(unique(true, twin.to()));
        }
        default -> throw new IllegalArgumentException("no way back from phase " + phase);
      }
      return steps;
    }

    private static String differ(String one, String other) {
      return one + " IS DISTINCT FROM " + other;
    }

    /** Whether a column differs from the key, asked in a form that holds without it as well. */
    private String differsIfThere(String column) {
      return "EXISTS (SELECT 1 FROM (SELECT "
          + twin.from()
          + " AS "
          + column
          + ") AS zdo_else WHERE (SELECT "
          + differ(column, twin.from())
          + " FROM (SELECT "
          + twin.table()
          + ".*) AS zdo_row))";
    }

    private Step expand() {
      return twin.rowType(
          "add-column",
          "a column of type "
              + facts.text(WidenKeyCheck.WANTED)
              + ", and the trigger that copies every key into it",
          twin.column(twin.to()) + " AND " + twin.triggerThere(),
          List.of(
              "ALTER TABLE "
                  + twin.table()
                  + " ADD COLUMN "
                  + twin.to()
                  + " "
                  + facts.text(WidenKeyCheck.WANTED),
              function("NEW." + twin.to() + " := NEW." + twin.from() + ";"),
              "CREATE OR REPLACE TRIGGER "
                  + Sql.quote(twin.trigger())
                  + " BEFORE INSERT OR UPDATE ON "
                  + twin.table()
                  + " FOR EACH ROW WHEN ("
                  + differ("NEW." + twin.to(), "NEW." + twin.from())
                  + ") EXECUTE FUNCTION "
                  + twin.function()
                  + "()",
              "ALTER TABLE "
                  + twin.table()
                  + " ENABLE ALWAYS TRIGGER "
                  + Sql.quote(twin.trigger())));
    }

    private List<String> drop(String column) {
      return List.of(
          "DROP TRIGGER IF EXISTS " + Sql.quote(twin.trigger()) + " ON " + twin.table(),
          "DROP FUNCTION IF EXISTS " + twin.function() + "()",
          "ALTER TABLE " + twin.table() + " DROP COLUMN IF EXISTS " + column);
    }

    private String function(String statements) {
      return "CREATE OR REPLACE FUNCTION "
          + twin.function()
          + "() RETURNS trigger LANGUAGE plpgsql AS "
          + Sql.literal("BEGIN " + statements + " RETURN NEW; END");
    }

    private Step unique(boolean fresh, String column) {
      String spare = twin.spare(key, fresh);
      return twin.build(
          (fresh ? "unique:" : "unique-again:") + key,
          "the index that becomes the primary key's, built while the table is in use",
          spare,
          "CREATE UNIQUE INDEX CONCURRENTLY "
              + Sql.quote(spare)
              + " ON "
              + twin.table()
              + " ("
              + column
              + ")",
          twin.indexWhole(spare)
              + " OR "
              + (fresh ? twin.column(twin.tombstone()) : "NOT " + twin.column(twin.tombstone())));
    }

    /** All at once: at every moment there is one key, and a sequence to draw from. */
    private Step swap() {
      List<String> sql = new ArrayList<>();
      String most = WidenKeyCheck.most(facts.type());
      String id = "NEW." + twin.from();
      String old = "NEW." + twin.tombstone();
      sql.add("LOCK TABLE " + twin.table() + " IN ACCESS EXCLUSIVE MODE");
      sql.add(
          function(
              // An INSERT without a column list still gives the old one a value.
              "IF TG_OP = 'INSERT' AND "
                  + (old + " IS NOT NULL THEN " + id + " := " + old)
                  + ("; ELSIF " + id + " BETWEEN -" + most + " - 1 AND " + most)
                  + (" THEN " + old + " := " + id + "; ELSE " + old + " := NULL; END IF;")));
      sql.add(alter("DROP CONSTRAINT " + Sql.quote(key)));
      sql.add(alter("RENAME COLUMN " + twin.from() + " TO " + twin.tombstone()));
      sql.add(alter("RENAME COLUMN " + twin.to() + " TO " + twin.from()));
      sql.addAll(
          new ColumnTwinContract(twin)
              .moveDefault(
                  facts.optionalMap(WidenKeyCheck.WIDE_IDENTITY), twin.tombstone(), twin.from()));
      facts
          .texts(WidenKeyCheck.SEQUENCES)
          .forEach(
              each ->
                  sql.add("ALTER SEQUENCE " + each + " AS " + facts.text(WidenKeyCheck.WANTED)));
      sql.add(ColumnTwinContract.alter(twin, twin.tombstone()) + "DROP NOT NULL");
      sql.add(key(true));
      comments(sql);
      return swap(
          "swap",
          "the columns change names; the index becomes the primary key's, and the sequence and the"
              + " default move along",
          twin.column(twin.tombstone()),
          sql);
    }

    private Step swapBack() {
      List<String> sql = new ArrayList<>();
      sql.add("LOCK TABLE " + twin.table() + " IN ACCESS EXCLUSIVE MODE");
      sql.add(function("NEW." + twin.to() + " := NEW." + twin.from() + ";"));
      sql.add(alter("DROP CONSTRAINT " + Sql.quote(key)));
      sql.add(alter("RENAME COLUMN " + twin.from() + " TO " + twin.to()));
      sql.add(alter("RENAME COLUMN " + twin.tombstone() + " TO " + twin.from()));
      sql.addAll(
          new ColumnTwinContract(twin).moveDefault(facts.identity(), twin.to(), twin.from()));
      facts
          .texts(WidenKeyCheck.SEQUENCES)
          .forEach(each -> sql.add("ALTER SEQUENCE " + each + " AS " + facts.type()));
      sql.add(key(false));
      comments(sql);
      return swap(
          "swap-back",
          "the columns change names again; the index becomes the primary key's",
          "NOT " + twin.column(twin.tombstone()),
          sql);
    }

    private void comments(List<String> sql) {
      for (ColumnFacts.Index index : facts.indexes()) {
        String comment = index.comment();
        if (comment != null) {
          sql.add("COMMENT ON INDEX " + twin.inSchema(key) + " IS " + Sql.literal(comment));
        }
        String constraintComment = index.constraintComment();
        if (constraintComment != null) {
          sql.add(ColumnTwinConstraints.commentSql(twin, key, constraintComment));
        }
      }
    }

    private Step swap(String name, String summary, String done, List<String> sql) {
      DdlStep step = twin.rowType(name, summary, done, sql);
      return step.changingColumnType();
    }

    private String key(boolean fresh) {
      return alter(
          "ADD CONSTRAINT "
              + Sql.quote(key)
              + " PRIMARY KEY USING INDEX "
              + Sql.quote(twin.spare(key, fresh)));
    }

    private String alter(String action) {
      return "ALTER TABLE " + twin.table() + " " + action;
    }
  }

  @Override
  public List<String> net(WidenKey migration, NetTarget target, Map<String, Object> facts) {
    Plain plain = new Plain(target);
    List<String> sql = new ArrayList<>();
    sql.add(plain.alterColumn(migration.table(), migration.column(), "TYPE " + migration.type()));
    for (String sequence : Facts.texts(facts, WidenKeyCheck.SEQUENCES)) {
      sql.add("ALTER SEQUENCE " + plain.of(sequence) + " AS " + migration.type());
    }
    return sql;
  }
}
