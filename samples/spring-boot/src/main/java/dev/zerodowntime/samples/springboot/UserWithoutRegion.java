package dev.zerodowntime.samples.springboot;

import jakarta.persistence.Entity;
import jakarta.persistence.Table;
import org.jspecify.annotations.Nullable;

/** Releases 1 and 2. */
@Entity(name = "User")
@Table(name = "users")
public class UserWithoutRegion extends User {

  @Nullable String name;

  @Override
  @Nullable String name() {
    return name;
  }

  @Override
  void rename(String name) {
    this.name = name;
  }
}
