package dev.zerodowntime.orchestrator.mysql.crash;

import java.util.List;

/** What migrations of {@link MysqlSubjects} find. */
final class MysqlApplication {

  private MysqlApplication() {}

  /** Numbers as a table with one column, {@code i}; at most a thousand of them. */
  static String numbers(long from, long to) {
    return "WITH RECURSIVE n (i) AS (SELECT "
        + from
        + " UNION ALL SELECT i + 1 FROM n WHERE i < "
        + to
        + ") SELECT i FROM n";
  }

  /** The application's tables, with everything that a migration may have to look after. */
  static List<String> tables() {
    return List.of(
        "CREATE TABLE countries (code varchar(2) PRIMARY KEY)",
        "INSERT INTO countries VALUES ('de'), ('fr')",
        "CREATE TABLE users (id bigint PRIMARY KEY, country varchar(2) NOT NULL, name varchar(60)"
            + " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'nobody' COMMENT 'who"
            + " it''s', nick varchar(40) NOT NULL DEFAULT 'nick', note text, touched int NOT NULL"
            + " DEFAULT 0, visits int NOT NULL DEFAULT 0, CONSTRAINT touches CHECK (touched >= 0),"
            + " KEY users_name (name, id DESC), KEY users_name_alone (name) COMMENT 'by name', KEY"
            + " users_nick (nick), KEY users_country (country), CONSTRAINT users_countries FOREIGN"
            + " KEY (country) REFERENCES countries (code))",
        // Counts every UPDATE of a row: a batch that ran twice shows.
        "CREATE TRIGGER count_touch BEFORE UPDATE ON users FOR EACH ROW SET NEW.touched ="
            + " OLD.touched + 1",
        "CREATE TABLE notes (user_id bigint PRIMARY KEY, body text, touched int NOT NULL DEFAULT"
            + " 0)",
        "CREATE TRIGGER count_note BEFORE UPDATE ON notes FOR EACH ROW SET NEW.touched ="
            + " OLD.touched + 1",
        "INSERT INTO notes SELECT i * 20, 'old', 0 FROM (" + numbers(1, 20) + ") numbers",
        "CREATE TABLE visits (id bigint AUTO_INCREMENT PRIMARY KEY, country varchar(2), KEY"
            + " visits_country (country))",
        "INSERT INTO visits (country) SELECT 'fr' FROM (" + numbers(1, 20) + ") numbers",
        "CREATE TABLE drafts (id bigint PRIMARY KEY, title varchar(40))",
        "CREATE TABLE tags (code varchar(10) NOT NULL, body text, UNIQUE KEY tags_code (code))",
        "INSERT INTO tags SELECT CONCAT('t', i), 'x' FROM (" + numbers(1, 20) + ") numbers",
        "CREATE VIEW named AS SELECT id, name FROM users",
        "INSERT INTO users (id, country, name, nick, note) SELECT i * 10, 'de', CONCAT('name ', i),"
            + " CONCAT('nick-', i), REPEAT('x', i % 90) FROM ("
            + numbers(1, 240)
            + ") numbers");
  }
}
