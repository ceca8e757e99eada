package dev.zerodowntime.orchestrator.internal.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {

  @Test
  void readsWhatItWrites() {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("text", "a \"quoted\" \\ line\nüñí\u0001 \uD83D\uDE00");
    map.put("number", -12345678901234L);
    map.put("fraction", 1.5);
    map.put("flag", true);
    map.put("list", List.of("a", 1L, List.of(), Map.of("k", false)));
    map.put("empty", Map.of());

    assertThat(Json.readObject(Json.write(map))).isEqualTo(map);
  }

  @Test
  void readsWhatPeopleType() {
    assertThat(Json.readObject(" { \"a\" : [ 1 , 2 ] , \"b\" : \"\\u00e4\\/\" , \"c\" : null } "))
        .isEqualTo(Map.of("a", List.of(1L, 2L), "b", "ä/"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "{", "{\"a\":}", "[1,]", "\"open", "tru", "{} x", "{\"a\" 1}", "[nul]", "--1"})
  void refusesWhatIsNotJson(String text) {
    assertThatThrownBy(() -> Json.read(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not JSON");
  }
}
