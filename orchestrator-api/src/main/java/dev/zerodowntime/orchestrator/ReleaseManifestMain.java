package dev.zerodowntime.orchestrator;

import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.InaccessibleObjectException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Writes and checks release manifests, without a database.
 *
 * <pre>{@code
 * java -cp … dev.zerodowntime.orchestrator.ReleaseManifestMain write com.example.Billing manifest.json
 * java -cp … dev.zerodowntime.orchestrator.ReleaseManifestMain check manifest.json counted.json …
 * }</pre>
 *
 * <p>{@code write} makes a {@link ThisBuild} of the class and writes what it says. {@code check}
 * says whether the release of the first file can roll out while all others are counted, in whatever
 * order these are given; each of the other files holds one manifest or a list of them.
 *
 * <p>Ends with 0; with 1 if the release can't roll out, and says why and what to do; with 2 if it
 * could not do what it was told.
 */
public final class ReleaseManifestMain {

  private static final int CANNOT_ROLL_OUT = 1;
  private static final int BAD_CALL = 2;
  private static final String USAGE = "usage: write CLASS FILE | check CANDIDATE COUNTED...";

  private ReleaseManifestMain() {}

  /**
   * Does what its arguments say, and ends the process unless that went well.
   *
   * @param args see above
   */
  public static void main(String[] args) {
    int status = run(args, System.out, System.err);
    if (status != 0) {
      System.exit(status);
    }
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    String command = args.length == 0 ? "" : args[0];
    try {
      if (command.equals("write") && args.length == 3) {
        return write(args[1], path(args[2]), out);
      }
      if (command.equals("check") && args.length >= 3) {
        return check(Arrays.asList(args).subList(1, args.length), out, err);
      }
      err.println(USAGE);
    } catch (OrchestratorException e) {
      err.println(e.getMessage());
    }
    return BAD_CALL;
  }

  private static int write(String name, Path file, PrintStream out) {
    ReleaseManifest manifest = manifest(name);
    try {
      Path folder = file.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Files.writeString(file, manifest.toJson() + "\n");
    } catch (IOException e) {
      throw bad("The manifest can't be written to " + file + ": " + e, "Name another file.");
    }
    out.println(
        manifest.application()
            + " "
            + manifest.release()
            + ": "
            + manifest.declarations().size()
            + " migrations declared, "
            + manifest.finished().size()
            + " finished; written to "
            + file);
    return 0;
  }

  private static ReleaseManifest manifest(String name) {
    ThisBuild build = build(name);
    try {
      return ReleaseManifest.of(build);
    } catch (OrchestratorException e) {
      throw e;
    } catch (RuntimeException | LinkageError e) {
      Throwable why = e.getCause() == null ? e : e.getCause();
      throw bad(
          name + " could not say what this build declares: " + why,
          "It must be able to without a database and without the application's surroundings.");
    }
  }

  private static ThisBuild build(String name) {
    String remedy =
        "Give the name of a class on the class path that implements ThisBuild and has a constructor"
            + " without parameters.";
    try {
      ClassLoader loader = Thread.currentThread().getContextClassLoader();
      Class<?> type =
          Class.forName(
              name, true, loader == null ? ReleaseManifestMain.class.getClassLoader() : loader);
      var constructor = type.asSubclass(ThisBuild.class).getDeclaredConstructor();
      constructor.setAccessible(true);
      return constructor.newInstance();
    } catch (ReflectiveOperationException | InaccessibleObjectException | LinkageError e) {
      Throwable why = e.getCause() == null ? e : e.getCause();
      throw bad("No build can be made of class " + name + ": " + why, remedy);
    } catch (ClassCastException e) {
      throw bad("Class " + name + " is no ThisBuild", remedy);
    }
  }

  private static int check(List<String> files, PrintStream out, PrintStream err) {
    ReleaseManifest candidate = one(files.get(0));
    List<ReleaseManifest> counted = new ArrayList<>();
    files.subList(1, files.size()).forEach(each -> counted.addAll(read(each)));
    String name = candidate.application() + " " + candidate.release();
    RolloutCheck check = RolloutCheck.of(candidate, counted);
    if (check.ok()) {
      out.println(
          name
              + " can roll out; checked against "
              + counted.stream().map(each -> each.application() + " " + each.release()).toList());
      return 0;
    }
    err.println(name + " can't roll out:");
    check.problems().forEach(each -> err.println("- " + each));
    return CANNOT_ROLL_OUT;
  }

  private static ReleaseManifest one(String file) {
    List<ReleaseManifest> found = read(file);
    if (found.size() != 1) {
      throw bad(
          file + " holds " + found.size() + " manifests",
          "Name the file of the release that is to roll out first.");
    }
    return found.get(0);
  }

  private static List<ReleaseManifest> read(String file) {
    try {
      return ReleaseManifest.listFromJson(Files.readString(path(file), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw bad(file + " can't be read: " + e, "Name a release manifest.");
    } catch (DeclarationException e) {
      String message = String.valueOf(e.getMessage());
      String problem = message.substring(0, message.length() - e.remedy().length()).strip();
      throw new DeclarationException(e.code(), file + ": " + problem, e.remedy());
    }
  }

  private static Path path(String file) {
    try {
      return Path.of(file);
    } catch (InvalidPathException e) {
      throw bad(file + " is no name of a file: " + e.getReason(), "Name another file.");
    }
  }

  private static DeclarationException bad(String problem, String remedy) {
    return new DeclarationException(ErrorCode.INVALID_DECLARATION, problem, remedy);
  }
}
