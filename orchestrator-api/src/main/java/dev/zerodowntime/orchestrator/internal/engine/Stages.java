package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.List;

/** From the stored name of a stage to its constant. */
final class Stages {

  private Stages() {}

  /** Of the enum that the build declared; not every operation names its own. */
  @SuppressWarnings("unchecked")
  static <C extends Enum<C> & CodeStage> C constant(
      Migration<C> migration, List<Engine.Declaration> declarations, String name) {
    for (Engine.Declaration each : declarations) {
      if (each.id().equals(migration.id())) {
        return Enum.valueOf((Class<C>) each.type(), name);
      }
    }
    Type type = migration.getClass().getGenericSuperclass();
    if (type instanceof ParameterizedType parameterized
        && parameterized.getActualTypeArguments()[0] instanceof Class<?> stages) {
      return Enum.valueOf((Class<C>) stages, name);
    }
    throw new IllegalStateException(migration.getClass() + " does not name its code stages");
  }
}
