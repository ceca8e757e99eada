package dev.zerodowntime.orchestrator.postgres.testing;

import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

final class PostgresTestExtension implements BeforeAllCallback, ParameterResolver {

  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(PostgresTestExtension.class);

  /**
   * Before anything else: only here does a missing server skip the class; as a parameter it would
   * fail it.
   */
  @Override
  public void beforeAll(ExtensionContext context) {
    PostgresServer.get();
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == TestDatabase.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    ExtensionContext testClass = outermostClass(context);
    // JUnit closes it when the class is done.
    return testClass
        .getStore(NAMESPACE)
        .getOrComputeIfAbsent(
            TestDatabase.class,
            key -> TestDatabase.create(testClass.getRequiredTestClass().getSimpleName()),
            TestDatabase.class);
  }

  private static ExtensionContext outermostClass(ExtensionContext context) {
    ExtensionContext outermost = context;
    while (outermost.getParent().flatMap(ExtensionContext::getTestClass).isPresent()) {
      outermost = outermost.getParent().orElseThrow();
    }
    return outermost;
  }
}
