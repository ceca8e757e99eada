package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.mysql.testing.MysqlServer.Flavor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a change is asked for.
 *
 * @param before what the table is like, besides what {@link #TABLE} says
 * @param session what the session has to set
 * @param clause what follows ALTER TABLE t; null where the server has no such statement
 */
record Experiment(List<String> before, List<String> session, @Nullable String clause) {

  /** Every experiment has one of its own. */
  static final List<String> TABLE =
      List.of(
          "CREATE TABLE parent (id BIGINT PRIMARY KEY) ENGINE=InnoDB",
          "INSERT INTO parent VALUES (1)",
          "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, n INT NOT NULL, nullable INT DEFAULT 0,"
              + " spare INT, short VARCHAR(20), edge VARCHAR(40), wide VARCHAR(80), kind ENUM('a','b'),"
              + " parent BIGINT, pad VARCHAR(300), KEY word (short), KEY by_parent (parent))"
              + " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4");

  private static Experiment of(String clause, String... before) {
    return new Experiment(List.of(before), List.of(), clause);
  }

  private static Experiment none() {
    return new Experiment(List.of(), List.of(), null);
  }

  private Experiment unchecked() {
    return new Experiment(before, List.of("SET SESSION foreign_key_checks = 0"), clause);
  }

  private static final String FOREIGN_KEY =
      "ADD CONSTRAINT to_parent FOREIGN KEY (parent) REFERENCES parent (id)";

  static Experiment of(Change change, Flavor flavor) {
    boolean maria = flavor == Flavor.MARIADB;
    return switch (change) {
      case ADD_COLUMN -> of("ADD COLUMN c INT");
      case ADD_COLUMN_DEFAULT -> of("ADD COLUMN c INT DEFAULT 7");
      case ADD_COLUMN_NOT_NULL_DEFAULT -> of("ADD COLUMN c INT NOT NULL DEFAULT 7");
      case ADD_COLUMN_INVISIBLE -> of("ADD COLUMN c INT INVISIBLE");
      case ADD_COLUMN_EXPRESSION_DEFAULT ->
          of("ADD COLUMN c VARCHAR(40) DEFAULT (concat('a', 'b'))");
      case ADD_COLUMN_CHECK -> of("ADD COLUMN c INT CHECK (c > 0)");
      case ADD_COLUMN_AUTO_INCREMENT -> of("ADD COLUMN c BIGINT NOT NULL AUTO_INCREMENT UNIQUE");
      case ADD_COLUMN_UNDER_FULLTEXT ->
          of("ADD COLUMN c INT", "ALTER TABLE t ADD FULLTEXT words (pad)");
      case ADD_COLUMN_COMPRESSED -> of("ADD COLUMN c INT", "ALTER TABLE t ROW_FORMAT=COMPRESSED");
      case ADD_COLUMN_VIRTUAL -> of("ADD COLUMN c INT GENERATED ALWAYS AS (n + 1) VIRTUAL");
      case ADD_COLUMN_STORED -> of("ADD COLUMN c INT GENERATED ALWAYS AS (n + 1) STORED");
      case DROP_COLUMN -> of("DROP COLUMN spare");
      case DROP_COLUMN_INDEXED -> of("DROP COLUMN short");
      case DROP_COLUMN_VIRTUAL ->
          of("DROP COLUMN c", "ALTER TABLE t ADD c INT GENERATED ALWAYS AS (n + 1) VIRTUAL");
      case DROP_COLUMN_STORED ->
          of("DROP COLUMN c", "ALTER TABLE t ADD c INT GENERATED ALWAYS AS (n + 1) STORED");
      case RENAME_COLUMN -> of("RENAME COLUMN spare TO renamed");
      case SET_DEFAULT -> of("ALTER COLUMN spare SET DEFAULT 5");
      case DROP_DEFAULT -> of("ALTER COLUMN nullable DROP DEFAULT");
      case HIDE_COLUMN ->
          of(maria ? "MODIFY COLUMN spare INT INVISIBLE" : "ALTER COLUMN spare SET INVISIBLE");
      case SHOW_COLUMN ->
          of(
              maria ? "MODIFY COLUMN spare INT" : "ALTER COLUMN spare SET VISIBLE",
              "ALTER TABLE t MODIFY COLUMN spare INT INVISIBLE");
      case SET_NOT_NULL -> of("MODIFY COLUMN nullable INT NOT NULL DEFAULT 0");
      case DROP_NOT_NULL -> of("MODIFY COLUMN n INT NULL");
      case RENAME_HIDE_COLUMN -> of("CHANGE COLUMN spare gone INT INVISIBLE");
      case SHOW_SET_NOT_NULL ->
          of(
              "MODIFY COLUMN c INT NOT NULL DEFAULT 3, MODIFY COLUMN n INT NULL",
              "ALTER TABLE t ADD c INT DEFAULT 3 INVISIBLE");
      case VARCHAR_WIDEN -> of("MODIFY COLUMN short VARCHAR(60)");
      case VARCHAR_WIDEN_LONG -> of("MODIFY COLUMN wide VARCHAR(120)");
      case VARCHAR_WIDEN_ACROSS -> of("MODIFY COLUMN edge VARCHAR(80)");
      case VARCHAR_SHRINK -> of("MODIFY COLUMN short VARCHAR(10)");
      case INT_TO_BIGINT -> of("MODIFY COLUMN spare BIGINT");
      case ENUM_APPEND -> of("MODIFY COLUMN kind ENUM('a','b','c')");
      case VARBINARY_WIDEN ->
          of("MODIFY COLUMN raw VARBINARY(60)", "ALTER TABLE t ADD raw VARBINARY(20)");
      case SET_APPEND ->
          of("MODIFY COLUMN flags SET('a','b','c')", "ALTER TABLE t ADD flags SET('a','b')");
      case ENUM_INSERT -> of("MODIFY COLUMN kind ENUM('a','c','b')");
      case CONVERT_CHARACTER_SET ->
          of("CONVERT TO CHARACTER SET utf8mb4", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb3");
      case ADD_INDEX -> of("ADD INDEX added (pad)");
      case ADD_UNIQUE -> of("ADD UNIQUE added (pad)");
      case ADD_FULLTEXT -> of("ADD FULLTEXT added (pad)");
      case ADD_PRIMARY_KEY ->
          of("ADD PRIMARY KEY (id)", "ALTER TABLE t DROP PRIMARY KEY, ADD INDEX plain (id)");
      case DROP_PRIMARY_KEY -> of("DROP PRIMARY KEY");
      case REPLACE_PRIMARY_KEY -> of("DROP PRIMARY KEY, ADD PRIMARY KEY (n, id)");
      case DROP_INDEX -> of("DROP INDEX word");
      case RENAME_INDEX -> of("RENAME INDEX word TO renamed");
      case HIDE_INDEX -> of("ALTER INDEX word " + (maria ? "IGNORED" : "INVISIBLE"));
      case ADD_FOREIGN_KEY -> of(FOREIGN_KEY);
      case ADD_FOREIGN_KEY_UNCHECKED -> of(FOREIGN_KEY).unchecked();
      case DROP_FOREIGN_KEY -> of("DROP FOREIGN KEY to_parent", "ALTER TABLE t " + FOREIGN_KEY);
      case ADD_CHECK -> of("ADD CONSTRAINT positive CHECK (n >= 0)");
      case ADD_COLUMN_OWN_CHECK ->
          maria ? of("MODIFY COLUMN n INT NOT NULL CHECK (n >= 0)") : none();
      case DROP_COLUMN_OWN_CHECK ->
          maria
              ? of(
                  "MODIFY COLUMN n INT NOT NULL",
                  "ALTER TABLE t MODIFY COLUMN n INT NOT NULL CHECK (n >= 0)")
              : none();
      case ADD_CHECK_NOT_ENFORCED ->
          maria ? none() : of("ADD CONSTRAINT positive CHECK (n >= 0) NOT ENFORCED");
      case ENFORCE_CHECK ->
          maria
              ? none()
              : of(
                  "ALTER CHECK positive ENFORCED",
                  "ALTER TABLE t ADD CONSTRAINT positive CHECK (n >= 0) NOT ENFORCED");
      case DROP_CHECK ->
          of("DROP CONSTRAINT positive", "ALTER TABLE t ADD CONSTRAINT positive CHECK (n >= 0)");
      case TABLE_COMMENT -> of("COMMENT 'what for'");
      case REBUILD -> of("FORCE");
      case REBUILD_UNDER_CASCADE ->
          of("FORCE", "ALTER TABLE t " + FOREIGN_KEY + " ON DELETE CASCADE");
    };
  }
}
