package dev.zerodowntime.orchestrator;

import dev.zerodowntime.orchestrator.internal.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a build says of itself, for checks in CI that have no database: its migrations, their stages
 * and spans.
 *
 * @param application the application
 * @param release the release
 * @param declarations what its code does with each migration, by id
 * @param finished migrations it names as finished
 */
public record ReleaseManifest(
    String application,
    String release,
    Map<String, Declaration> declarations,
    List<String> finished) {

  /** Copies the collections. */
  public ReleaseManifest {
    declarations = Map.copyOf(declarations);
    finished = List.copyOf(finished);
  }

  /**
   * What a build declares of one migration.
   *
   * @param lifecycle the operation's phases and spans, as far as known without a database
   * @param stages the stages its code can be at, oldest first
   */
  public record Declaration(Lifecycle lifecycle, List<String> stages) {

    /** Checks that the stages exist. */
    public Declaration {
      stages = List.copyOf(stages);
      stages.forEach(lifecycle::span);
    }
  }

  /**
   * As JSON, to be kept with the build.
   *
   * @return one object
   */
  public String toJson() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("application", application);
    map.put("release", release);
    Map<String, Object> declared = new LinkedHashMap<>();
    declarations.keySet().stream()
        .sorted()
        .forEach(
            id -> {
              Declaration each = declarations.get(id);
              Map<String, Object> entry = new LinkedHashMap<>();
              if (each != null) {
                entry.put("lifecycle", each.lifecycle().toMap());
                entry.put("stages", each.stages());
              }
              declared.put(id, entry);
            });
    map.put("declarations", declared);
    map.put("finished", finished);
    return Json.write(map);
  }

  /**
   * From JSON.
   *
   * @param json what {@link #toJson()} gave
   * @return the manifest
   * @throws DeclarationException if it is not a manifest
   */
  @SuppressWarnings("unchecked")
  public static ReleaseManifest fromJson(String json) {
    try {
      Map<String, Object> map = Json.readObject(json);
      Map<String, Declaration> declarations = new LinkedHashMap<>();
      Map<String, Object> declared = (Map<String, Object>) map.get("declarations");
      if (declared == null || map.get("application") == null || map.get("release") == null) {
        throw new IllegalArgumentException("application, release or declarations is missing");
      }
      declared.forEach(
          (id, value) -> {
            Map<String, Object> entry = (Map<String, Object>) value;
            List<String> stages = new ArrayList<>();
            ((List<?>) entry.getOrDefault("stages", List.of()))
                .forEach(each -> stages.add((String) each));
            declarations.put(
                id,
                new Declaration(
                    Lifecycle.fromMap(
                        (Map<String, Object>) entry.getOrDefault("lifecycle", Map.of())),
                    stages));
          });
      List<String> finished = new ArrayList<>();
      ((List<?>) map.getOrDefault("finished", List.of()))
          .forEach(each -> finished.add((String) each));
      return new ReleaseManifest(
          (String) map.get("application"), (String) map.get("release"), declarations, finished);
    } catch (IllegalArgumentException | ClassCastException | NullPointerException e) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "This is not a release manifest: " + e.getMessage(),
          "Write it with ReleaseManifest.toJson().");
    }
  }
}
