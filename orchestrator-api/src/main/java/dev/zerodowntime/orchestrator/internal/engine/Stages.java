package dev.zerodowntime.orchestrator.internal.engine;

import dev.zerodowntime.orchestrator.CodeStage;
import dev.zerodowntime.orchestrator.Migration;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;

/** From the stored name of a stage to its constant. */
final class Stages {

  private Stages() {}

  @SuppressWarnings("unchecked")
  static <C extends Enum<C> & CodeStage> C constant(Migration<C> migration, String name) {
    Type type = migration.getClass().getGenericSuperclass();
    if (type instanceof ParameterizedType parameterized
        && parameterized.getActualTypeArguments()[0] instanceof Class<?> stages) {
      return Enum.valueOf((Class<C>) stages, name);
    }
    throw new IllegalStateException(migration.getClass() + " does not name its code stages");
  }
}
