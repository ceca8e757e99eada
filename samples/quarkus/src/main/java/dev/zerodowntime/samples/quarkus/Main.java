package dev.zerodowntime.samples.quarkus;

import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.annotations.QuarkusMain;

/** Keeps users, and renames a column of theirs while it serves. */
@QuarkusMain
public class Main {

  /**
   * Brings the schema to where this release needs it, and only then starts Quarkus.
   *
   * @param args as Quarkus takes them
   */
  public static void main(String... args) {
    // Before anything logs.
    System.setProperty("java.util.logging.manager", "org.jboss.logmanager.LogManager");
    Mapping mapping = Schema.open().mapping();
    System.setProperty("quarkus.hibernate-orm.\"" + mapping.unit() + "\".active", "true");
    Quarkus.run(args);
  }
}
