package dev.zerodowntime.samples.springboot;

import jakarta.persistence.GeneratedValue;
import jakarta.persistence.GenerationType;
import jakarta.persistence.Id;
import jakarta.persistence.MappedSuperclass;
import org.jspecify.annotations.Nullable;

/**
 * A user, apart from what changes. In a real application this is one class, and a release changes
 * it; here the releases share their sources, so there is a subclass for each mapping, of which one
 * is used. All of them are called {@code User} in queries.
 */
@MappedSuperclass
public abstract class User {

  @Id
  @GeneratedValue(strategy = GenerationType.IDENTITY)
  @Nullable Long id;

  @Nullable String country;

  abstract @Nullable String name();

  abstract void rename(String name);

  /** Null where this release doesn't know it. */
  @Nullable String region() {
    return null;
  }

  /**
   * Does nothing where this release doesn't know it.
   *
   * @param region where the user is
   */
  void moveTo(String region) {}
}
