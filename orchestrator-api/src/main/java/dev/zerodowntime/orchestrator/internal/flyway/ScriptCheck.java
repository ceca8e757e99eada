package dev.zerodowntime.orchestrator.internal.flyway;

import dev.zerodowntime.orchestrator.DeclarationException;
import dev.zerodowntime.orchestrator.ErrorCode;
import dev.zerodowntime.orchestrator.internal.sql.NamedIn;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.callback.Context;
import org.flywaydb.core.api.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Refuses scripts that name the table of an unfinished migration. */
final class ScriptCheck {

  private static final Logger LOG = LoggerFactory.getLogger(ScriptCheck.class);

  private static final String IN_JAR = "!/";

  private final List<Unfinished> unfinished;

  ScriptCheck(List<Unfinished> unfinished) {
    this.unfinished = unfinished;
  }

  /**
   * What a script comes up against.
   *
   * @param migrations ids of the migrations
   * @param first why the script is refused; null if it isn't
   */
  record Found(Set<String> migrations, @Nullable DeclarationException first) {}

  /** Refuses the script that is about to run, if it names what is under way. */
  void require(Context context) {
    DeclarationException refusal = look(context).first();
    if (refusal != null) {
      throw refusal;
    }
  }

  Found look(Context context) {
    MigrationInfo info = context.getMigrationInfo();
    Configuration configuration = context.getConfiguration();
    Set<String> ids = new LinkedHashSet<>();
    if (unfinished.isEmpty() || info == null || !isSql(info, configuration)) {
      return new Found(ids, null);
    }
    Optional<String> text = text(info, configuration);
    if (text.isEmpty()) {
      LOG.warn(
          "{} can't be read at {}: whether it names a table of an unfinished migration ({}) is not"
              + " known",
          info.getScript(),
          info.getPhysicalLocation(),
          String.join(", ", unfinished.stream().map(Unfinished::id).toList()));
      return new Found(ids, null);
    }
    NamedIn named = NamedIn.of(replaced(text.get(), configuration));
    DeclarationException first = null;
    for (Unfinished each : unfinished) {
      for (String table : each.tables()) {
        boolean touches =
            each.columns().isEmpty() || each.columns().stream().anyMatch(named::names);
        if (named.names(table) && touches && !consents(text.get(), each.id())) {
          ids.add(each.id());
          first = first == null ? refused(info.getScript(), table, each) : first;
        }
      }
    }
    return new Found(ids, first);
  }

  /** With what Flyway puts in the places of placeholders. */
  private static String replaced(String text, Configuration configuration) {
    String replaced = text;
    for (Map.Entry<String, String> each : configuration.getPlaceholders().entrySet()) {
      replaced =
          replaced.replace(
              configuration.getPlaceholderPrefix()
                  + each.getKey()
                  + configuration.getPlaceholderSuffix(),
              each.getValue());
    }
    return replaced;
  }

  private static boolean isSql(MigrationInfo info, Configuration configuration) {
    return Arrays.stream(configuration.getSqlMigrationSuffixes())
        .anyMatch(info.getScript()::endsWith);
  }

  private static DeclarationException refused(String script, String table, Unfinished migration) {
    return new DeclarationException(
        ErrorCode.CONFLICTING_MIGRATIONS,
        "Script "
            + script
            + " names "
            + table
            + ", which migration "
            + migration.id()
            + " changes; that is at "
            + migration.where()
            + " and not finished. The script was not run",
        "Deploy the script when the migration has finished (status() says what it waits for); or, if"
            + " neither can harm the other, say so in a line of the script: -- orchestrator:"
            + " alongside "
            + migration.id());
  }

  private static boolean consents(String text, String id) {
    return Pattern.compile(
            "(?m)^\\s*--\\s*orchestrator:\\s*alongside\\s+" + Pattern.quote(id) + "\\s*$")
        .matcher(text)
        .find();
  }

  /** As a file, or on the class path: there its place ends with the name of an entry, of a jar. */
  private static Optional<String> text(MigrationInfo info, Configuration configuration) {
    String location = info.getPhysicalLocation();
    if (location == null) {
      return Optional.empty();
    }
    Charset encoding = configuration.getEncoding();
    try {
      Path file = Path.of(location);
      if (Files.isRegularFile(file)) {
        return Optional.of(Files.readString(file, encoding));
      }
    } catch (InvalidPathException | IOException e) {
      LOG.debug("{} is not a file that can be read", location, e);
    }
    String place = location.replace('\\', '/');
    String entry = place.substring(place.lastIndexOf(IN_JAR) + 1).replaceFirst("^/", "");
    try (InputStream stream = configuration.getClassLoader().getResourceAsStream(entry)) {
      return stream == null
          ? Optional.empty()
          : Optional.of(new String(stream.readAllBytes(), encoding));
    } catch (IOException e) {
      LOG.debug("{} can't be read on the class path", location, e);
      return Optional.empty();
    }
  }
}
