package dev.zerodowntime.orchestrator.operation;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.util.List;
import java.util.Locale;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/**
 * A stage of one operation can't be given to another: the compiler says so, not a check at run
 * time.
 */
class StagesAreTypedTest {

  @Test
  void ownStagesCompile() {
    assertThat(errors("rename, RenameColumn.Code.USES_OLD_NAME, RenameColumn.Code.USES_NEW_NAME"))
        .isEmpty();
    assertThat(
            errors("Migration.ref(\"a/b\", RenameColumn.class), RenameColumn.Code.USES_OLD_NAME"))
        .isEmpty();
  }

  @Test
  void foreignStagesDoNot() {
    assertThat(errors("rename, AddColumn.Code.READS")).isNotEmpty();
    assertThat(errors("Migration.ref(\"a/b\", RenameColumn.class), AddColumn.Code.READS"))
        .isNotEmpty();
  }

  private static List<String> errors(String arguments) {
    String source =
        """
        import dev.zerodowntime.orchestrator.Migration;
        import dev.zerodowntime.orchestrator.OrchestratorBuilder;
        import dev.zerodowntime.orchestrator.operation.AddColumn;
        import dev.zerodowntime.orchestrator.operation.RenameColumn;
        class Declares {
          void declare(OrchestratorBuilder builder, RenameColumn rename) {
            builder.thisBuild(%s);
          }
        }
        """
            .formatted(arguments);
    JavaFileObject file =
        new SimpleJavaFileObject(
            URI.create("string:///Declares.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return source;
          }
        };
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    compiler
        .getTask(
            null,
            null,
            found,
            List.of(
                "-proc:none",
                "-d",
                System.getProperty("java.io.tmpdir"),
                "-cp",
                System.getProperty("java.class.path")),
            null,
            List.of(file))
        .call();
    return found.getDiagnostics().stream()
        .filter(each -> each.getKind() == Diagnostic.Kind.ERROR)
        .map(each -> each.getMessage(Locale.ROOT))
        .toList();
  }
}
