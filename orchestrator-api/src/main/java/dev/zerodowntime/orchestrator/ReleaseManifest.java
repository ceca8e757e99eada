package dev.zerodowntime.orchestrator;

import dev.zerodowntime.orchestrator.internal.json.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a build says of itself, for checks in CI that have no database: its migrations, their stages
 * and spans. An immutable value; the same declarations give the same text, byte for byte.
 *
 * @param application the application
 * @param release the release
 * @param declarations what its code does with each migration, by id
 * @param finished migrations it names as finished
 * @param touches the tables it narrows itself to, or null for all
 * @param warm whether it is known to have no members left: it then only holds migrations back, as
 *     it may be rolled back to
 */
public record ReleaseManifest(
    String application,
    String release,
    Map<String, Declaration> declarations,
    List<String> finished,
    @Nullable Set<String> touches,
    boolean warm) {

  /** The newest form of the text that this version of the library reads and writes. */
  private static final long FORM = 1;

  /** Copies the collections, and puts them in order. */
  public ReleaseManifest {
    declarations = Map.copyOf(declarations);
    finished = finished.stream().sorted().distinct().toList();
    touches = touches == null ? null : Set.copyOf(touches);
  }

  /**
   * A build that touches every table.
   *
   * @param application the application
   * @param release the release
   * @param declarations what its code does with each migration, by id
   * @param finished migrations it names as finished
   */
  public ReleaseManifest(
      String application,
      String release,
      Map<String, Declaration> declarations,
      List<String> finished) {
    this(application, release, declarations, finished, null, false);
  }

  /**
   * What a build declares of one migration.
   *
   * @param lifecycle the operation's phases and spans, as far as known without a database; null
   *     where another team's build declares the migration
   * @param table the table it changes; null where that is not known either
   * @param stages the stages its code can be at, oldest first
   */
  public record Declaration(
      @Nullable Lifecycle lifecycle, @Nullable String table, List<String> stages) {

    /** Checks that there are stages, and that the operation has them. */
    public Declaration {
      stages = List.copyOf(stages);
      if (stages.isEmpty()) {
        throw new IllegalArgumentException("a declaration without a code stage");
      }
      if (lifecycle != null) {
        stages.forEach(lifecycle::span);
      }
    }
  }

  /**
   * Of what a build says of itself. Needs no database.
   *
   * @param build what it says
   * @return its manifest
   * @throws DeclarationException if something is missing or contradictory
   */
  public static ReleaseManifest of(ThisBuild build) {
    try (Orchestrator orchestrator = new OrchestratorBuilder(build).build()) {
      return orchestrator.manifest();
    }
  }

  /** The stages it declares, by migration id: what its release string stands for. */
  Map<String, List<String>> stagesById() {
    Map<String, List<String>> stages = new TreeMap<>();
    declarations.forEach((id, each) -> stages.put(id, each.stages()));
    return stages;
  }

  /**
   * As JSON, to be kept with the build.
   *
   * @return one object
   */
  public String toJson() {
    return Json.write(toMap());
  }

  /**
   * Several as JSON.
   *
   * @param manifests such as {@link Orchestrator#countedManifests()}
   * @return one list
   */
  public static String toJson(List<ReleaseManifest> manifests) {
    return Json.write(manifests.stream().map(ReleaseManifest::toMap).toList());
  }

  private Map<String, Object> toMap() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("manifest", FORM);
    map.put("application", application);
    map.put("release", release);
    Map<String, Object> declared = new LinkedHashMap<>();
    new TreeMap<>(declarations).forEach((id, each) -> declared.put(id, toMap(each)));
    map.put("declarations", declared);
    map.put("finished", finished);
    if (touches != null) {
      map.put("touches", new TreeSet<>(touches));
    }
    if (warm) {
      map.put("warm", true);
    }
    return map;
  }

  private static Map<String, Object> toMap(Declaration declaration) {
    Map<String, Object> map = new LinkedHashMap<>();
    if (declaration.table() != null) {
      map.put("table", declaration.table());
    }
    map.put("stages", declaration.stages());
    if (declaration.lifecycle() != null) {
      map.put("lifecycle", declaration.lifecycle().toMap());
    }
    return map;
  }

  /**
   * From JSON. Fields that this version of the library doesn't know are passed over.
   *
   * @param json what {@link #toJson()} gave
   * @return the manifest
   * @throws DeclarationException if it is not a manifest, or of a form that is newer than this
   *     version of the library
   */
  public static ReleaseManifest fromJson(String json) {
    List<ReleaseManifest> all = listFromJson(json);
    if (all.size() != 1) {
      throw unreadable("it holds " + all.size() + " of them");
    }
    return all.get(0);
  }

  /**
   * From JSON that holds one manifest, or a list of them.
   *
   * @param json what {@link #toJson()} or {@link #toJson(List)} gave
   * @return the manifests
   * @throws DeclarationException as {@link #fromJson(String)}
   */
  public static List<ReleaseManifest> listFromJson(String json) {
    try {
      Object read = Json.read(json);
      List<ReleaseManifest> manifests = new ArrayList<>();
      for (Object each : read instanceof List<?> list ? list : List.of(Json.readObject(json))) {
        manifests.add(fromMap(map(each)));
      }
      return manifests;
    } catch (IllegalArgumentException | ClassCastException e) {
      throw unreadable(String.valueOf(e.getMessage()));
    }
  }

  private static ReleaseManifest fromMap(Map<String, Object> map) {
    long form = number(required(map, "manifest"));
    if (form > FORM) {
      throw new DeclarationException(
          ErrorCode.INVALID_DECLARATION,
          "This release manifest ("
              + map.get("application")
              + " "
              + map.get("release")
              + ") is of form "
              + form
              + "; this version of the library knows forms up to "
              + FORM,
          "Check it with the version of the library that wrote it, or a newer one.");
    }
    Map<String, Declaration> declarations = new LinkedHashMap<>();
    map(required(map, "declarations"))
        .forEach(
            (id, value) -> {
              Map<String, Object> entry = map(value);
              Object lifecycle = entry.get("lifecycle");
              declarations.put(
                  id,
                  new Declaration(
                      lifecycle == null ? null : Lifecycle.fromMap(map(lifecycle)),
                      (String) entry.get("table"),
                      strings(required(entry, "stages"))));
            });
    Object touches = map.get("touches");
    return new ReleaseManifest(
        (String) required(map, "application"),
        (String) required(map, "release"),
        declarations,
        strings(map.getOrDefault("finished", List.of())),
        touches == null ? null : Set.copyOf(strings(touches)),
        Boolean.TRUE.equals(map.get("warm")));
  }

  private static Object required(Map<String, Object> map, String field) {
    Object value = map.get(field);
    if (value == null) {
      throw new IllegalArgumentException("field " + field + " is missing");
    }
    return value;
  }

  private static long number(Object value) {
    return ((Number) value).longValue();
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object value) {
    return (Map<String, Object>) value;
  }

  private static List<String> strings(Object value) {
    List<String> strings = new ArrayList<>();
    ((List<?>) value).forEach(each -> strings.add((String) each));
    return strings;
  }

  private static DeclarationException unreadable(String why) {
    return new DeclarationException(
        ErrorCode.INVALID_DECLARATION,
        "This is not a release manifest: " + why,
        "Write it with ReleaseManifest.toJson(), or ReleaseManifestMain.");
  }
}
