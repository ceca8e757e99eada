package dev.zerodowntime.orchestrator.postgres.testing;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test class that needs PostgreSQL. A {@link TestDatabase} parameter, of the constructor or of
 * any test or lifecycle method, is the class's own database: one for all its methods and nested
 * classes, dropped at its end. Tests that need a clean or a second one call {@link
 * TestDatabase#create}.
 */
@Documented
@Inherited
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(PostgresTestExtension.class)
public @interface PostgresTest {}
