package dev.zerodowntime.orchestrator.postgres;

import dev.zerodowntime.orchestrator.spi.DoctorCommand;

/**
 * {@link dev.zerodowntime.orchestrator.Orchestrator#doctor()} from a shell, before anything is
 * built in: with this library's jars, the JDBC driver and SLF4J on the class path,
 *
 * <pre>java -cp … dev.zerodowntime.orchestrator.postgres.Doctor jdbc:postgresql://host/database
 * </pre>
 *
 * <p>See {@link DoctorCommand} for the arguments, the environment and the exit codes.
 */
public final class Doctor {

  private Doctor() {}

  /**
   * Prints the diagnosis and exits.
   *
   * @param arguments the JDBC URL of the application; a second one for DDL
   */
  public static void main(String[] arguments) {
    System.exit(command().run(arguments, System.getenv(), System.out, System.err));
  }

  static DoctorCommand command() {
    return new DoctorCommand(
        PostgresDialect.create(),
        Doctor.class.getName(),
        "jdbc:postgresql:",
        "ApplicationName",
        "orchestrator doctor");
  }
}
