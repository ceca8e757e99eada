package dev.zerodowntime.samples.quickstart;

import java.sql.SQLException;

/** How the schema follows the releases: by the library, or by plain DDL. */
interface SchemaChange extends AutoCloseable {

  /** Called before the first pod of a release starts. */
  void before(Release from, Release to) throws SQLException, InterruptedException;

  /** Called when no pod without the library runs any more. */
  void everyPodHasLibrary();

  /** Waits until the schema is where it should be. */
  void finish() throws InterruptedException;

  @Override
  void close();
}
