package dev.zerodowntime.samples.springboot;

import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.orm.jpa.persistenceunit.PersistenceManagedTypes;

/** Release 1: the application as it was. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnProperty(name = "app.release", havingValue = "1")
class BeforeTheLibrary {

  @Bean
  PersistenceManagedTypes entities() {
    return PersistenceManagedTypes.of(UserWithoutRegion.class.getName());
  }
}
