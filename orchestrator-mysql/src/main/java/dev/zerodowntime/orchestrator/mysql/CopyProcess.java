package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.CopyTool;
import dev.zerodowntime.orchestrator.spi.CopyStep;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.sql.SQLTransientException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One run of pt-online-schema-change, with a folder of its own: for its plugin, for what it says
 * (to a file, so that it goes on when this process ends), for the file by which it is paused, and,
 * until it has connected, for the password.
 */
final class CopyProcess implements AutoCloseable {

  /** What the plugin exits with where it may be tried again. */
  private static final int AGAIN = 75;

  /** Ended by a signal. */
  private static final int SIGNALS = 128;

  private static final int LAST_SIGNAL = 31;

  private static final int LINES = 12;

  private static final Pattern SESSION = Pattern.compile("zdo: session (\\d+)");
  private static final Pattern PERCENT = Pattern.compile("Copying .*:\\s+(\\d+% \\S+ remain)");

  /** Of the load, or of locks that were not had in time. */
  private static final Pattern TRANSIENT =
      Pattern.compile(
          "critical threshold|Lock wait timeout|Deadlock found|was interrupted|Lost connection|gone away");

  private final Path folder;
  private final Path pause;
  private final Process process;
  private final RandomAccessFile said;
  private final Deque<String> last = new ArrayDeque<>();
  private final StringBuilder line = new StringBuilder();
  private String progress = "connects";
  private long session;
  private boolean triggers;
  private boolean copied;
  private @Nullable String held;

  private CopyProcess(Path folder, Path pause, Process process, RandomAccessFile said) {
    this.folder = folder;
    this.pause = pause;
    this.process = process;
    this.said = said;
  }

  /**
   * The names of the session locks.
   *
   * @param step of the migration, held by the session that starts the tool
   * @param main for the tool
   * @param other for the tool
   * @param parent that session
   */
  record Locks(String step, String main, String other, long parent) {}

  static CopyProcess start(MysqlVersion version, CopyTool tool, CopyStep step, Locks locks)
      throws IOException {
    Path folder = Files.createTempDirectory("zdo-copy-", mode("rwx------"));
    try {
      Path defaults = write(folder, "connect.cnf", defaults(tool));
      Path config = write(folder, "none.conf", "");
      Path plugin = write(folder, "plugin.pl", plugin());
      Path pause = folder.resolve("pause");
      Path out = write(folder, "said", "");
      ProcessBuilder builder =
          new ProcessBuilder(
              encoded(
                  folder,
                  command(
                      tool,
                      step,
                      variables(version),
                      defaults.toString(),
                      config.toString(),
                      plugin.toString())));
      Map<String, String> environment = builder.environment();
      environment.put("PERL_UNICODE", "A");
      environment.put("ZDO_DEFAULTS", defaults.toString());
      environment.put("ZDO_PAUSE", pause.toString());
      environment.put("ZDO_STEP", locks.step());
      environment.put("ZDO_MAIN", locks.main());
      environment.put("ZDO_AUX", locks.other());
      environment.put("ZDO_PARENT", Long.toString(locks.parent()));
      environment.put("ZDO_MARK", PtOnlineSchemaChange.mark(step.copy()));
      builder.redirectErrorStream(true).redirectOutput(out.toFile());
      RandomAccessFile said = new RandomAccessFile(out.toFile(), "r");
      try {
        Process process = builder.start();
        process.getOutputStream().close();
        return new CopyProcess(folder, pause, process, said);
      } catch (IOException e) {
        said.close();
        throw e;
      }
    } catch (IOException e) {
      delete(folder);
      throw e;
    }
  }

  private static List<String> command(
      CopyTool tool,
      CopyStep step,
      String variables,
      String defaults,
      String config,
      String plugin) {
    List<String> command = new ArrayList<>();
    command.add(tool.path().toString());
    // First of all: nobody's own settings of the tool are read.
    command.addAll(List.of("--config", config));
    command.addAll(List.of("--no-version-check", "--execute"));
    command.addAll(
        List.of(
            "--no-swap-tables",
            "--no-drop-new-table",
            "--no-drop-old-table",
            "--no-drop-triggers"));
    command.addAll(List.of("--new-table-name", step.copy()));
    command.addAll(List.of("--alter", Objects.requireNonNull(step.alter())));
    // How far replicas are behind, the engine looks after.
    command.addAll(List.of("--recursion-method", "none"));
    command.addAll(List.of("--max-load", tool.maxLoad(), "--critical-load", tool.criticalLoad()));
    command.addAll(List.of("--chunk-time", Double.toString(tool.chunkTime().toMillis() / 1000.0)));
    command.addAll(List.of("--chunk-size", "500"));
    command.addAll(List.of("--tries", "create_triggers:20:0.05,copy_rows:60:0.25"));
    command.addAll(List.of("--set-vars", variables));
    command.addAll(List.of("--progress", "time,1", "--plugin", plugin));
    command.add(
        "F="
            + defaults.replace(",", "\\,")
            + ",A=utf8mb4,D="
            + step.schema().replace(",", "\\,")
            + ",t="
            + step.table().replace(",", "\\,"));
    return command;
  }

  /**
   * A JVM hands arguments on in the locale's encoding, which where none is set, as in many an image
   * of a container, makes a question mark of every other letter than ASCII's: of a table's name, or
   * of a default's. What a shell reads from a file stays as it is.
   */
  private static List<String> encoded(Path folder, List<String> command) throws IOException {
    if (command.stream().allMatch(StandardCharsets.US_ASCII.newEncoder()::canEncode)) {
      return command;
    }
    StringBuilder script = new StringBuilder("exec");
    for (String each : command) {
      script.append(" '").append(each.replace("'", "'\\''")).append('\'');
    }
    return List.of("/bin/sh", write(folder, "run", script.append('\n').toString()).toString());
  }

  /**
   * The tool reads what EXPLAIN says as a table. Of a MySQL 9, which says it as a tree, it would
   * learn that a table has no rows, and copy it in one statement, with every row locked.
   */
  private static String variables(MysqlVersion version) {
    return "lock_wait_timeout=1,innodb_lock_wait_timeout=1"
        + (version.mariadb() ? "" : ",explain_format=TRADITIONAL");
  }

  private static String defaults(CopyTool tool) {
    return "[client]\nhost="
        + quoted(tool.host())
        + "\nport="
        + tool.port()
        + "\nprotocol=tcp\nuser="
        + quoted(tool.user())
        + "\npassword="
        + quoted(tool.password().get())
        + "\n";
  }

  /** As a file of options has it. */
  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }

  private static String plugin() throws IOException {
    try (InputStream in = CopyProcess.class.getResourceAsStream("copy-plugin.pl")) {
      return new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  private static Path write(Path folder, String name, String text) throws IOException {
    Path file = Files.createFile(folder.resolve(name), mode("rw-------"));
    return Files.writeString(file, text);
  }

  private static FileAttribute<?>[] mode(String permissions) {
    return FileSystems.getDefault().supportedFileAttributeViews().contains("posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  /** Whether it has ended by itself. */
  boolean waitFor(long millis) throws SQLException {
    try {
      return process.waitFor(millis, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SQLTransientException("interrupted", e);
    }
  }

  int exit() {
    return process.exitValue();
  }

  /** Its session that copies; 0 while it is not known. */
  long session() {
    return session;
  }

  /** Whether it is about to create triggers: it must be watched closely. */
  boolean triggers() {
    return triggers;
  }

  /** Whether all rows are there. */
  boolean copied() {
    return copied;
  }

  /** How far it has come. */
  String progress() {
    String why = held;
    return why == null ? progress : "paused: " + why;
  }

  /** Reads what it has said since. */
  void read() throws IOException {
    byte[] buffer = new byte[8192];
    int length;
    while ((length = said.read(buffer)) > 0) {
      line.append(new String(buffer, 0, length, StandardCharsets.UTF_8));
    }
    int end;
    while ((end = line.indexOf("\n")) >= 0) {
      heard(line.substring(0, end).strip());
      line.delete(0, end + 1);
    }
  }

  private void heard(String text) {
    if (text.isEmpty()) {
      return;
    }
    last.add(text);
    if (last.size() > LINES) {
      last.remove();
    }
    Matcher begun = SESSION.matcher(text);
    Matcher percent = PERCENT.matcher(text);
    if (begun.matches()) {
      session = Long.parseLong(begun.group(1));
      progress = "creates triggers";
      triggers = true;
    } else if (text.endsWith("Created triggers OK.")) {
      triggers = false;
      progress = "copies rows";
    } else if (percent.matches()) {
      progress = percent.group(1);
    } else if (text.equals("zdo: copied")) {
      copied = true;
    }
  }

  /** Has it pause, or go on. */
  void pause(@Nullable String why) throws IOException {
    if (why != null && held == null) {
      Files.writeString(pause, why);
    } else if (why == null && held != null) {
      Files.deleteIfExists(pause);
    }
    held = why;
  }

  /** What became of it. */
  SQLException failure(int exit) {
    String text = "the copy tool ended with " + exit + ": " + String.join(" | ", last);
    boolean again =
        exit == AGAIN
            || exit > SIGNALS && exit <= SIGNALS + LAST_SIGNAL
            || TRANSIENT.matcher(text).find();
    return again ? new SQLTransientException(text) : new SQLException(text);
  }

  /** Ends it, and returns when it is gone. */
  void kill() {
    process.destroyForcibly();
    boolean interrupted = false;
    while (process.isAlive()) {
      try {
        process.waitFor();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() throws IOException {
    kill();
    said.close();
    delete(folder);
  }

  private static void delete(Path folder) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder)) {
      files = all.toList();
    }
    for (Path each : files) {
      Files.deleteIfExists(each);
    }
    Files.deleteIfExists(folder);
  }
}
