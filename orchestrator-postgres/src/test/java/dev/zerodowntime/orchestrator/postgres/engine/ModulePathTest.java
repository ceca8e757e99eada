package dev.zerodowntime.orchestrator.postgres.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.zerodowntime.orchestrator.postgres.testing.PostgresTest;
import dev.zerodowntime.orchestrator.postgres.testing.TestDatabase;
import java.io.File;
import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/**
 * The tests run on the class path; this one shows that everything also works as named modules,
 * where Flyway finds no files in ours and the engine is not visible.
 */
@PostgresTest
class ModulePathTest {

  private static final String API = "dev.zerodowntime.orchestrator";

  @Test
  void worksAsNamedModules(TestDatabase database) throws Exception {
    ModuleLayer layer = layer();
    ClassLoader loader = layer.findLoader(API);
    Class<?> orchestrator = loader.loadClass(API + ".Orchestrator");
    Class<?> builderType = loader.loadClass(API + ".OrchestratorBuilder");
    assertThat(orchestrator.getModule().isNamed()).isTrue();

    Object builder =
        orchestrator
            .getMethod("builder", DataSource.class)
            .invoke(null, (DataSource) database.dataSource());
    for (String property : List.of("application", "release")) {
      builderType.getMethod(property, String.class).invoke(builder, "modular");
    }
    builderType.getMethod("background", boolean.class).invoke(builder, false);
    Object built = builderType.getMethod("build").invoke(builder);
    Method advance = orchestrator.getMethod("advance");
    assertThat(advance.invoke(built)).asString().contains("modular");
    orchestrator.getMethod("close").invoke(built);

    assertThat(database.queryLong("SELECT count(*) FROM orchestrator.member")).isEqualTo(1);
  }

  @Test
  void theEngineIsNotExported() throws Exception {
    ModuleLayer layer = layer();
    Module api = layer.findModule(API).orElseThrow();

    assertThat(api.isExported(API)).isTrue();
    assertThat(api.isExported(API + ".operation")).isTrue();
    assertThat(api.isExported(API + ".spi")).isTrue();
    assertThat(api.getDescriptor().exports()).hasSize(3);
    Class<?> engine = layer.findLoader(API).loadClass(API + ".internal.engine.Engine");
    assertThatThrownBy(() -> engine.getConstructors()[0].newInstance((Object) null))
        .isInstanceOf(IllegalAccessException.class);
  }

  private static ModuleLayer layer() {
    Path[] path =
        Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(Path::of)
            .filter(ModulePathTest::belongs)
            .toArray(Path[]::new);
    ModuleFinder finder = ModuleFinder.of(path);
    Configuration configuration =
        ModuleLayer.boot()
            .configuration()
            .resolveAndBind(
                finder, ModuleFinder.of(), Set.of(API + ".postgres", "flyway.database.postgresql"));
    return ModuleLayer.boot()
        .defineModulesWithOneLoader(configuration, ClassLoader.getPlatformClassLoader());
  }

  private static boolean belongs(Path entry) {
    String name = entry.toString();
    boolean ours = name.contains("orchestrator-") && !name.contains("test-classes");
    return ours || name.matches(".*(slf4j-api|flyway-[a-z-]+|logback-[a-z]+)-[0-9].*\\.jar");
  }
}
