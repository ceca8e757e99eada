package dev.zerodowntime.orchestrator.postgres.rolling;

import com.zaxxer.hikari.HikariConfig;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import dev.zerodowntime.orchestrator.testing.rolling.Database;
import dev.zerodowntime.orchestrator.testing.rolling.Product;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;

/** A PostgreSQL, for the proof that all databases have in common. */
final class PostgresRolling implements Product {

  @Override
  public Database create(String hint) {
    return new Fresh(TestDatabase.create(hint));
  }

  @Override
  public String orUpdate(String table, String column) {
    return " ON CONFLICT (" + column + ") DO UPDATE SET ";
  }

  @Override
  public String offered(String column) {
    return "excluded." + column;
  }

  @Override
  public boolean returnsRows() {
    return true;
  }

  private record Fresh(TestDatabase database) implements Database {

    @Override
    public DataSource dataSource() {
      return database.dataSource();
    }

    @Override
    public HikariConfig pool(boolean safe) {
      HikariConfig config = new HikariConfig();
      String url = database.url();
      String mode = safe ? "conservative" : "never";
      config.setJdbcUrl(url + (url.contains("?") ? "&" : "?") + "autosave=" + mode);
      config.setUsername(database.user());
      config.setPassword(database.password());
      return config;
    }

    @Override
    public void execute(String... statements) {
      database.execute(statements);
    }

    @Override
    public List<List<String>> rows(String sql) {
      List<List<String>> rows = new ArrayList<>();
      for (List<Object> each : database.rows(sql)) {
        List<String> row = new ArrayList<>();
        each.forEach(value -> row.add(value == null ? null : value.toString()));
        rows.add(row);
      }
      return rows;
    }

    @Override
    public String control(String table) {
      return "orchestrator." + table;
    }

    @Override
    public void watchWorkers() {
      database.execute(
          "CREATE TABLE orchestrator.walked (step text, started timestamptz, member text)",
          """
          CREATE FUNCTION orchestrator.note_walked() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN
            INSERT INTO orchestrator.walked SELECT step, started_at, split_part(NEW.worker, ' ', 1)
              FROM orchestrator.backfill WHERE migration = NEW.migration
              AND target_schema = NEW.target_schema AND step = NEW.step;
            RETURN NULL;
          END $$\
          """,
          "CREATE TRIGGER note_walked AFTER UPDATE ON orchestrator.backfill_chunk FOR EACH ROW WHEN"
              + " (NEW.rows_done > OLD.rows_done) EXECUTE FUNCTION orchestrator.note_walked()");
    }

    @Override
    public void disableGate() {
      database.execute(
          """
          CREATE FUNCTION orchestrator.everything_fits() RETURNS trigger LANGUAGE plpgsql AS $$
          BEGIN
            NEW.lifecycle := regexp_replace(NEW.lifecycle, '"low":\\s*\\d+', '"low":0', 'g');
            NEW.lifecycle := regexp_replace(
              NEW.lifecycle, '"high":\\s*\\d+',
              '"high":' || jsonb_array_length(NEW.lifecycle::jsonb -> 'phases') - 1, 'g');
            RETURN NEW;
          END $$\
          """,
          """
          CREATE TRIGGER everything_fits BEFORE INSERT OR UPDATE ON orchestrator.migration
          FOR EACH ROW EXECUTE FUNCTION orchestrator.everything_fits()\
          """,
          "UPDATE orchestrator.migration SET lifecycle = lifecycle");
    }

    @Override
    public void close() {
      database.close();
    }
  }
}
