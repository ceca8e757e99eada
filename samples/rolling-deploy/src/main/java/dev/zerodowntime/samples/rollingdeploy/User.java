package dev.zerodowntime.samples.rollingdeploy;

/**
 * What the client knows of a user it has written.
 *
 * @param id the key
 * @param name as last written
 * @param country as written
 * @param region as written, or what a release that doesn't know it leaves to the database
 */
record User(long id, String name, String country, String region) {

  User named(String newName) {
    return new User(id, newName, country, region);
  }
}
