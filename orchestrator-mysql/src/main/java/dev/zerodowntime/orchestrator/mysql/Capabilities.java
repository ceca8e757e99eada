package dev.zerodowntime.orchestrator.mysql;

import dev.zerodowntime.orchestrator.mysql.Capability.Algorithm;
import dev.zerodowntime.orchestrator.mysql.Capability.Work;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What servers were seen to do, as this version was built: one entry for each server and change.
 * Nothing rests on it alone: statements name their algorithm, so that a server which can't do it
 * refuses rather than copies a table silently.
 */
final class Capabilities {

  /** Written by the capability test. */
  static final String RESOURCE = "capabilities.tsv";

  private static final int FIELDS = 5;

  private final Map<String, Map<Change, Capability>> servers;

  private Capabilities(Map<String, Map<Change, Capability>> servers) {
    this.servers = servers;
  }

  /** What this version was shipped with. */
  static Capabilities shipped() {
    try (InputStream in = Capabilities.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing beside " + Capabilities.class);
      }
      return read(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of a text like that of {@link #RESOURCE}. */
  static Capabilities read(String text) {
    Map<String, Map<Change, Capability>> servers = new LinkedHashMap<>();
    for (String line : text.lines().toList()) {
      if (!line.isEmpty() && !line.startsWith("#")) {
        String[] fields = line.split("\t", -1);
        Capability each = parse(line, fields);
        servers
            .computeIfAbsent(fields[0], server -> new EnumMap<>(Change.class))
            .put(each.change(), each);
      }
    }
    return new Capabilities(servers);
  }

  private static Capability parse(String line, String[] fields) {
    if (fields.length != FIELDS) {
      throw new IllegalStateException(
          RESOURCE + " has a line without " + FIELDS + " fields: " + line);
    }
    return new Capability(
        Change.valueOf(fields[1]),
        fields[2].isEmpty() ? null : Algorithm.valueOf(fields[2]),
        Boolean.parseBoolean(fields[3]),
        Work.valueOf(fields[4]));
  }

  /** The line of {@link #RESOURCE} that says it. */
  static String line(String server, Capability capability) {
    return String.join(
        "\t",
        server,
        capability.change().name(),
        capability.algorithm() == null ? "" : capability.algorithm().name(),
        Boolean.toString(capability.writes()),
        capability.work().name());
  }

  /** Such as {@code MySQL 9.7} and {@code MariaDB 10.11}: release series that were tried. */
  Collection<String> servers() {
    return servers.keySet();
  }

  /** Empty if the series was not tried, or not with that change. */
  Optional<Capability> of(String server, Change change) {
    return Optional.ofNullable(servers.getOrDefault(server, Map.of()).get(change));
  }
}
