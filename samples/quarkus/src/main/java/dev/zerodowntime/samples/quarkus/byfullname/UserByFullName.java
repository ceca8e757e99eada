package dev.zerodowntime.samples.quarkus.byfullname;

import dev.zerodowntime.samples.quarkus.User;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Table;
import org.jspecify.annotations.Nullable;

/** Release 3, where it was admitted at the new name, and all later ones. */
@Entity(name = "User")
@Table(name = "users")
public class UserByFullName extends User {

  @Column(name = "full_name")
  @Nullable String fullName;

  @Nullable String region;

  @Override
  public @Nullable String name() {
    return fullName;
  }

  @Override
  public void rename(String name) {
    this.fullName = name;
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
