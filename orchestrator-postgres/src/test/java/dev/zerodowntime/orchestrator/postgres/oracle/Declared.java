package dev.zerodowntime.orchestrator.postgres.oracle;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.spi.BackfillStep;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.Step;
import dev.zerodowntime.orchestrator.spi.TableLock;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a dialect's operations say that they will do, noted down as the engine asks for it. */
final class Declared {

  private static final Pattern PART = Pattern.compile("\"((?:[^\"]|\"\")+)\"|([^.\"]+)");

  private final Map<Movement, List<Step>> steps = new ConcurrentHashMap<>();
  private final Map<Movement, List<Step>> heard = new ConcurrentHashMap<>();

  /**
   * One movement of a migration.
   *
   * @param phase its upper end
   * @param direction which way
   */
  record Movement(int phase, Direction direction) {}

  /** The dialect, whose steps are noted down after they were changed. */
  Dialect listenTo(Dialect dialect, UnaryOperator<Step> change) {
    List<Object> operations = new ArrayList<>();
    for (OperationSupport<?> each : dialect.operations()) {
      operations.add(
          proxy(
              OperationSupport.class,
              each,
              (method, args, result) -> {
                if (!method.equals("steps")) {
                  return result;
                }
                List<Step> changed = new ArrayList<>();
                for (Object step : (List<?>) result) {
                  changed.add(change.apply((Step) step));
                }
                Movement movement = new Movement((int) args[3], (Direction) args[4]);
                if (!changed.isEmpty()) {
                  steps.put(movement, changed);
                }
                return changed;
              }));
    }
    return proxy(
        Dialect.class,
        dialect,
        (method, args, result) -> method.equals("operations") ? operations : result);
  }

  /** Looks at what comes out of an interface, whatever methods it has. */
  interface Lens {
    Object see(String method, Object[] args, Object result);
  }

  static <T> T proxy(Class<T> type, Object target, Lens lens) {
    return type.cast(
        Proxy.newProxyInstance(
            Declared.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) -> {
              try {
                return lens.see(method.getName(), args, method.invoke(target, args));
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  /**
   * The steps of a movement: as they were when one of them was heard of last; else as they were
   * last asked for. Before its facts are captured, and after it is undone, an operation may have
   * others to show.
   */
  List<Step> steps(Movement movement) {
    List<Step> asked = steps.getOrDefault(movement, List.of());
    return heard.getOrDefault(movement, asked);
  }

  /** A step that is under way, by its name; null if there is none. */
  Step hear(Movement movement, String name) {
    List<Step> asked = steps.getOrDefault(movement, List.of());
    for (Step each : asked) {
      if (each.name().equals(name)) {
        heard.put(movement, asked);
        return each;
      }
    }
    return null;
  }

  /**
   * The strongest lock that a step may take on a table: what it declares. On other tables what any
   * query takes, or any change of rows where it changes some.
   */
  static Mode allowed(Step step, String table) {
    Mode most = null;
    for (TableLock each : step.locks()) {
      Mode mode = Mode.of(each.mode());
      if (plain(each.table()).equals(table) && (most == null || mode.strongerThan(most))) {
        most = mode;
      }
    }
    return most != null ? most : step instanceof BackfillStep ? Mode.ROW_EXCLUSIVE : Mode.ROW_SHARE;
  }

  /** A qualified name without quotes. */
  static String plain(String quoted) {
    List<String> parts = new ArrayList<>();
    Matcher part = PART.matcher(quoted);
    while (part.find()) {
      parts.add(part.group(1) == null ? part.group(2) : part.group(1).replace("\"\"", "\""));
    }
    return String.join(".", parts);
  }
}
