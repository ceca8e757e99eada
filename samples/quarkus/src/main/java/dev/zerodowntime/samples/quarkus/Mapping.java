package dev.zerodowntime.samples.quarkus;

import dev.zerodowntime.samples.quarkus.byfullname.UserByFullName;
import dev.zerodowntime.samples.quarkus.byname.UserByName;
import dev.zerodowntime.samples.quarkus.withoutregion.UserWithoutRegion;
import java.util.function.Supplier;

/** The persistence units, of which a process uses one. */
enum Mapping {
  WITHOUT_REGION("without-region", UserWithoutRegion.class, UserWithoutRegion::new),
  BY_NAME("by-name", UserByName.class, UserByName::new),
  BY_FULL_NAME("by-full-name", UserByFullName.class, UserByFullName::new);

  private final String unit;
  private final Class<? extends User> entity;
  private final Supplier<? extends User> constructor;

  Mapping(String unit, Class<? extends User> entity, Supplier<? extends User> constructor) {
    this.unit = unit;
    this.entity = entity;
    this.constructor = constructor;
  }

  String unit() {
    return unit;
  }

  Class<? extends User> entity() {
    return entity;
  }

  User newUser() {
    return constructor.get();
  }
}
