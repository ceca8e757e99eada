package dev.zerodowntime.orchestrator;

import dev.zerodowntime.orchestrator.internal.flyway.ScriptName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finished migrations as Flyway SQL, made by {@link Orchestrator#export}. Each script leads from
 * the schema before the migration to the one after it, in a database that nobody uses yet. A value;
 * thread-safe.
 *
 * @param scripts one for each migration, in declaration order
 * @param left finished migrations that can't be exported, with the reason; empty where ids were
 *     given
 */
public record Export(List<Script> scripts, Map<String, String> left) {

  private static final Pattern VERSION = Pattern.compile("[0-9]+([._][0-9]+)*");

  /** Copies the collections. */
  public Export {
    scripts = List.copyOf(scripts);
    left = Collections.unmodifiableMap(new LinkedHashMap<>(left));
  }

  /**
   * One migration's script.
   *
   * @param id the migration's id
   * @param operation its operation
   * @param finishedAt when it was finished, in the target schema where that was last
   * @param version its place in Flyway's order; that of {@link Migration.Builder#flyway}, as long
   *     as it is declared; else null until {@link Export#at} says it
   * @param sql the script's text, the same whenever it is made
   */
  public record Script(
      String id, String operation, Instant finishedAt, @Nullable String version, String sql) {

    /**
     * The file's name, such as {@code V39.1__billing_2026_11_users_full_name.sql}.
     *
     * @return the name, with {@code {version}} in the place of a version that isn't known yet
     */
    public String fileName() {
      return "V" + (version == null ? "{version}" : version) + "__" + ScriptName.file(id) + ".sql";
    }
  }

  /**
   * Gives a migration its place in Flyway's order.
   *
   * @param id a migration of this export
   * @param version a Flyway version: numbers with dots or underscores between them
   * @return the same with that version
   * @throws DeclarationException if there is no such migration here, or no such version
   */
  public Export at(String id, String version) {
    if (!VERSION.matcher(version).matches()) {
      throw invalid(
          "\"" + version + "\" is no Flyway version",
          "Write numbers with dots between them, such as 39.1.");
    }
    if (scripts.stream().noneMatch(each -> each.id().equals(id))) {
      throw invalid(
          "Migration " + id + " is not in this export",
          "It has " + scripts.stream().map(Script::id).toList() + ".");
    }
    return new Export(
        scripts.stream()
            .map(
                each ->
                    each.id().equals(id)
                        ? new Script(id, each.operation(), each.finishedAt(), version, each.sql())
                        : each)
            .toList(),
        left);
  }

  /**
   * Writes each script into a file of its name, in UTF-8. What contains <code>${</code> gets a file
   * {@code ….sql.conf} beside it that turns Flyway's placeholders off. A file that is there with
   * the same text is left alone. Checks everything before it writes anything.
   *
   * @param folder where Flyway looks for scripts; made if it isn't there
   * @return the files, in the order of the scripts
   * @throws DeclarationException if a script has no version yet, or another script or file has the
   *     same; or if a file is there with another text
   * @throws UncheckedIOException if the folder can't be read or written
   */
  public List<Path> write(Path folder) {
    try {
      Map<Path, String> files = files(folder);
      Files.createDirectories(folder);
      for (Map.Entry<Path, String> file : files.entrySet()) {
        if (!Files.exists(file.getKey())) {
          Files.writeString(file.getKey(), file.getValue());
        }
      }
      return scripts.stream().map(each -> folder.resolve(each.fileName())).toList();
    } catch (IOException e) {
      throw new UncheckedIOException("export can't write to " + folder, e);
    }
  }

  private Map<Path, String> files(Path folder) throws IOException {
    Map<Path, String> files = new LinkedHashMap<>();
    Map<String, String> versions = versions(folder);
    for (Script each : scripts) {
      String version = each.version();
      if (version == null) {
        throw invalid(
            "Migration " + each.id() + " has no version in Flyway's order",
            "Say it: export.at(\"" + each.id() + "\", \"39.1\").");
      }
      String other = versions.putIfAbsent(normal(version), each.fileName());
      if (other != null && !other.equals(each.fileName())) {
        throw invalid(
            "Version " + version + " of migration " + each.id() + " is that of " + other,
            "Choose another: Flyway takes a version once.");
      }
      files.put(folder.resolve(each.fileName()), each.sql());
      if (each.sql().contains("${")) {
        files.put(folder.resolve(each.fileName() + ".conf"), "placeholderReplacement=false\n");
      }
    }
    for (Map.Entry<Path, String> file : files.entrySet()) {
      if (Files.exists(file.getKey())
          && !new String(Files.readAllBytes(file.getKey()), StandardCharsets.UTF_8)
              .equals(file.getValue())) {
        throw invalid(
            "File " + file.getKey() + " is there, with another text",
            "Remove it if it is to be replaced; Flyway takes no change of a script that was run.");
      }
    }
    return files;
  }

  /** The versioned scripts that are there, by version. */
  private static Map<String, String> versions(Path folder) throws IOException {
    Map<String, String> versions = new LinkedHashMap<>();
    if (Files.isDirectory(folder)) {
      List<String> names = new ArrayList<>();
      try (Stream<Path> list = Files.list(folder)) {
        list.map(each -> String.valueOf(each.getFileName())).sorted().forEach(names::add);
      }
      for (String name : names) {
        int end = name.indexOf("__");
        if (name.startsWith("V") && name.endsWith(".sql") && end > 0) {
          versions.put(normal(name.substring(1, end)), name);
        }
      }
    }
    return versions;
  }

  /** Flyway takes 39_1 and 39.1 for the same, and 39.10 for another. */
  private static String normal(String version) {
    return version.replace('_', '.').replaceAll("(^|\\.)0+(?=[0-9])", "$1");
  }

  private static DeclarationException invalid(String problem, String remedy) {
    return new DeclarationException(ErrorCode.INVALID_DECLARATION, problem, remedy);
  }

  /**
   * One migration's script.
   *
   * @param id the migration's id
   * @return its script, if this export has it
   */
  public Optional<Script> script(String id) {
    return scripts.stream().filter(each -> each.id().equals(id)).findFirst();
  }
}
