package dev.zerodowntime.orchestrator.testing.oracle;

import dev.zerodowntime.orchestrator.Direction;
import dev.zerodowntime.orchestrator.spi.Dialect;
import dev.zerodowntime.orchestrator.spi.OperationSupport;
import dev.zerodowntime.orchestrator.spi.Step;
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
public final class Declared {

  private static final Pattern PART = Pattern.compile("[\"`]((?:[^\"`]|\"\"|``)+)[\"`]|([^.\"`]+)");

  private final Map<Movement, List<Step>> steps = new ConcurrentHashMap<>();
  private final Map<Movement, List<Step>> heard = new ConcurrentHashMap<>();

  /**
   * One movement of a migration.
   *
   * @param phase its upper end
   * @param direction which way
   */
  public record Movement(int phase, Direction direction) {}

  /** A step of a movement. */
  public record Key(Movement movement, String step) {}

  /** The dialect, whose steps are noted down after they were changed. */
  public Dialect listenTo(Dialect dialect, UnaryOperator<Step> change) {
    return proxy(
        Dialect.class,
        dialect,
        (method, args, result) -> {
          if (method.equals("operations")) {
            return ((List<?>) result).stream().map(each -> listenTo(each, change)).toList();
          }
          // One for its server, which may be another object.
          return method.equals("forServer") && !Proxy.isProxyClass(result.getClass())
              ? listenTo((Dialect) result, change)
              : result;
        });
  }

  private Object listenTo(Object operation, UnaryOperator<Step> change) {
    return proxy(
        OperationSupport.class,
        operation,
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
        });
  }

  /** Looks at what comes out of an interface, whatever methods it has. */
  public interface Lens {
    Object see(String method, Object[] args, Object result);
  }

  public static <T> T proxy(Class<T> type, Object target, Lens lens) {
    return type.cast(
        Proxy.newProxyInstance(
            Declared.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) -> {
              try {
                Object result = method.invoke(target, args);
                // Who answers with itself, as a dialect for its server, is still looked at.
                return lens.see(method.getName(), args, result == target ? proxy : result);
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
  public List<Step> steps(Movement movement) {
    List<Step> asked = steps.getOrDefault(movement, List.of());
    return heard.getOrDefault(movement, asked);
  }

  /** A step that is under way, by its name; null if there is none. */
  public Step hear(Movement movement, String name) {
    List<Step> asked = steps.getOrDefault(movement, List.of());
    for (Step each : asked) {
      if (each.name().equals(name)) {
        heard.put(movement, asked);
        return each;
      }
    }
    return null;
  }

  /** A qualified name without quotes. */
  public static String plain(String quoted) {
    List<String> parts = new ArrayList<>();
    Matcher part = PART.matcher(quoted);
    while (part.find()) {
      parts.add(
          part.group(1) == null
              ? part.group(2)
              : part.group(1).replace("\"\"", "\"").replace("``", "`"));
    }
    return String.join(".", parts);
  }
}
