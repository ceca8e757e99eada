package dev.zerodowntime.orchestrator.spi;

import dev.zerodowntime.orchestrator.Diagnosis;
import dev.zerodowntime.orchestrator.Environment;
import dev.zerodowntime.orchestrator.Orchestrator;
import dev.zerodowntime.orchestrator.OrchestratorBuilder;
import dev.zerodowntime.orchestrator.Role;
import java.io.PrintStream;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@link Orchestrator#doctor()} as a command, for the dialects' main classes.
 *
 * <p>Arguments: the JDBC URL of the application's database; as a second one, where DDL has a user
 * or a way of its own, the URL for it. User and password are in the URLs, or in the environment:
 * {@code ORCHESTRATOR_USER} and {@code ORCHESTRATOR_PASSWORD}, {@code ORCHESTRATOR_DDL_USER} and
 * {@code ORCHESTRATOR_DDL_PASSWORD}; {@code ORCHESTRATOR_SCHEMA} names the schema of the control
 * tables if it isn't the usual one, {@code ORCHESTRATOR_ENVIRONMENT=DEVELOPMENT} a database for
 * development. Prints the diagnosis, and no password.
 */
public final class DoctorCommand {

  /** Nothing that will go wrong was found. */
  public static final int HEALTHY = 0;

  /** Something that will go wrong was found. */
  public static final int PROBLEMS = 1;

  /** The arguments, or the environment, are wrong: nothing was looked at. */
  public static final int USAGE = 2;

  /** In an address's query, as a property, and before its host. */
  private static final Pattern SECRET =
      Pattern.compile(
          "(?i)(?:[?&;(,]\\s*(?:ssl|key|trust)?(?:store)?password\\s*=\\s*([^&;),\\s]+))"
              + "|(?://[^/?#@\\s:]*:([^@\\s]+)@)");

  /** Shorter ones would be found in the middle of words. */
  private static final int LEAST_SECRET = 3;

  private final Dialect dialect;
  private final String name;
  private final String prefix;
  private final String property;
  private final String value;

  /**
   * A command for one dialect.
   *
   * @param dialect the dialect
   * @param name the main class, for the usage
   * @param prefix how its URLs begin
   * @param property the driver's property by which sessions are named
   * @param value how this command's are named, unless the URL says so
   */
  public DoctorCommand(Dialect dialect, String name, String prefix, String property, String value) {
    this.dialect = dialect;
    this.name = name;
    this.prefix = prefix;
    this.property = property;
    this.value = value;
  }

  /**
   * Runs it.
   *
   * @param arguments what it was given
   * @param environment the environment's variables
   * @param out where the diagnosis goes
   * @param err where it says what is wrong with the arguments
   * @return the exit code
   */
  public int run(
      String[] arguments, Map<String, String> environment, PrintStream out, PrintStream err) {
    if (arguments.length < 1 || arguments.length > 2) {
      return usage(err, arguments.length + " arguments were given");
    }
    for (String each : arguments) {
      if (!each.startsWith(prefix)) {
        return usage(err, "an argument doesn't begin with " + prefix);
      }
      try {
        DriverManager.getDriver(each);
      } catch (SQLException e) {
        return usage(err, "no JDBC driver on the class path takes such a URL");
      }
    }
    Environment kind;
    String given = environment.getOrDefault("ORCHESTRATOR_ENVIRONMENT", "PRODUCTION");
    try {
      kind = Environment.valueOf(given);
    } catch (IllegalArgumentException e) {
      return usage(
          err,
          "ORCHESTRATOR_ENVIRONMENT is "
              + given
              + ", none of "
              + Arrays.toString(Environment.values()));
    }
    Diagnosis diagnosis = diagnose(arguments, environment, kind);
    out.println(hide(diagnosis.toString(), arguments, environment));
    return diagnosis.healthy() ? HEALTHY : PROBLEMS;
  }

  private Diagnosis diagnose(
      String[] arguments, Map<String, String> environment, Environment kind) {
    boolean apart = arguments.length > 1 || environment.containsKey("ORCHESTRATOR_DDL_USER");
    try (DriverSource application = source(arguments[0], environment, "ORCHESTRATOR_");
        DriverSource ddl =
            source(arguments[arguments.length - 1], environment, "ORCHESTRATOR_DDL_")) {
      OrchestratorBuilder builder =
          Orchestrator.builder(application)
              .application("doctor")
              .release("doctor")
              .dialect(dialect)
              .role(Role.DRIVER)
              .environment(kind)
              .ddlDataSource(apart ? ddl : application)
              .background(false);
      String schema = environment.get("ORCHESTRATOR_SCHEMA");
      if (schema != null) {
        builder.controlSchema(schema);
      }
      try (Orchestrator orchestrator = builder.build()) {
        return orchestrator.doctor();
      }
    }
  }

  private DriverSource source(String url, Map<String, String> environment, String variables) {
    Properties properties = new Properties();
    set(properties, "user", environment.get(variables + "USER"));
    set(properties, "password", environment.get(variables + "PASSWORD"));
    if (!url.contains(property)) {
      properties.setProperty(property, value);
    }
    return new DriverSource(url, properties);
  }

  private static void set(Properties properties, String key, @Nullable String value) {
    if (value != null) {
      properties.setProperty(key, value);
    }
  }

  private int usage(PrintStream err, String problem) {
    err.println(
        problem
            + "\nusage: java -cp … "
            + name
            + " "
            + prefix
            + "//host/database [URL for DDL]"
            + "\nUser and password: in the URLs, or ORCHESTRATOR_USER and ORCHESTRATOR_PASSWORD"
            + " (ORCHESTRATOR_DDL_USER, ORCHESTRATOR_DDL_PASSWORD) in the environment.");
    return USAGE;
  }

  /** Drivers say in their errors what they were given. */
  private static String hide(String text, String[] arguments, Map<String, String> environment) {
    Set<String> secrets = new LinkedHashSet<>();
    for (String each : arguments) {
      Matcher secret = SECRET.matcher(each);
      while (secret.find()) {
        secrets.add(secret.group(1) == null ? secret.group(2) : secret.group(1));
      }
      // Whole, before a part of it: that may be too short to be told from other text.
      text = text.replace(each, each.replaceAll("[?;(].*", "").replaceAll("//[^@/]*@", "//"));
    }
    for (String each : new String[] {"ORCHESTRATOR_PASSWORD", "ORCHESTRATOR_DDL_PASSWORD"}) {
      String password = environment.get(each);
      if (password != null) {
        secrets.add(password);
      }
    }
    for (String each : secrets) {
      if (each.length() >= LEAST_SECRET) {
        text = text.replace(each, "***");
      }
    }
    return text;
  }
}
