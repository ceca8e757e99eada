package dev.zerodowntime.samples.springboot;

import jakarta.persistence.Entity;
import jakarta.persistence.Table;
import org.jspecify.annotations.Nullable;

/** Release 3, where it was admitted at the old name. */
@Entity(name = "User")
@Table(name = "users")
public class UserByName extends User {

  @Nullable String name;
  @Nullable String region;

  @Override
  @Nullable String name() {
    return name;
  }

  @Override
  void rename(String name) {
    this.name = name;
  }

  @Override
  @Nullable String region() {
    return region;
  }

  @Override
  void moveTo(String region) {
    this.region = region;
  }
}
