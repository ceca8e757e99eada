package dev.zerodowntime.samples.quarkus.byname;

import dev.zerodowntime.samples.quarkus.User;
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
  public @Nullable String name() {
    return name;
  }

  @Override
  public void rename(String name) {
    this.name = name;
  }

  @Override
  public @Nullable String region() {
    return region;
  }

  @Override
  public void moveTo(String region) {
    this.region = region;
  }
}
