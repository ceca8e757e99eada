package dev.zerodowntime.orchestrator.postgres.engine;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import javax.sql.DataSource;

/**
 * A DataSource that notes what is executed through it, one entry per round trip, and can do
 * something right after a statement: only there can a test stand between two statements.
 */
final class Statements {

  private final Queue<String> executed = new ConcurrentLinkedQueue<>();
  private final DataSource real;
  private volatile Consumer<String> after = sql -> {};

  Statements(DataSource real) {
    this.real = real;
  }

  DataSource dataSource() {
    return proxy(DataSource.class, real, "");
  }

  /** Executed so far, in order. */
  List<String> executed() {
    return List.copyOf(executed);
  }

  void forget() {
    executed.clear();
  }

  void after(Consumer<String> action) {
    after = action;
  }

  private <T> T proxy(Class<T> type, Object target, String prepared) {
    InvocationHandler handler =
        (self, method, arguments) -> {
          String name = method.getName();
          String sql = arguments != null && arguments[0] instanceof String text ? text : prepared;
          try {
            Object result = method.invoke(target, arguments);
            if (name.startsWith("execute") || name.equals("commit") || name.equals("rollback")) {
              String what = name.startsWith("execute") ? sql : name;
              executed.add(what);
              after.accept(what);
            }
            if (result instanceof Connection && !name.equals("unwrap")) {
              return proxy(Connection.class, result, "");
            }
            return result instanceof Statement && !name.equals("unwrap")
                ? proxy(method.getReturnType(), result, sql)
                : result;
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return type.cast(
        Proxy.newProxyInstance(Statements.class.getClassLoader(), new Class<?>[] {type}, handler));
  }
}
