package io.lethe.connect;

import java.util.IdentityHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.components.Versioned;
import org.apache.kafka.connect.connector.ConnectRecord;
import org.apache.kafka.connect.data.Field;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.kafka.connect.data.Struct;
import org.apache.kafka.connect.transforms.Transformation;

/**
 * Takes column defaults and enum labels out of Debezium's row and key schemas, before a converter sees them.
 *
 * <p>A converter that asks a struct for a null field gets the schema's default instead, so an explicit NULL arrived as
 * the default; and the default itself, a literal of somebody's DDL, was registered with the schema. The old row goes
 * too: with the default replica identity it holds made-up values for NOT NULL columns, which nobody may trust. And every
 * TRUNCATE of a table goes to the same partition.
 */
public class ScrubDefaults<R extends ConnectRecord<R>> implements Transformation<R>, Versioned {
    /** A task meets a new schema only after DDL; the bound is for a task that lives for years. */
    private static final int SCHEMAS_MAX = 10_000;

    /** A TRUNCATE has no key. In one partition they stand in their order, and none waits for another. */
    private static final Integer TRUNCATES_PARTITION = 0;

    private final Map<Schema, Schema> scrubbed = new IdentityHashMap<>();

    @Override
    public R apply(R record) {
        if (!(record.value() instanceof Struct envelope) || envelope.schema().field("after") == null) {
            return record;
        }
        Struct scrubbedEnvelope = new Struct(scrubEnvelope(envelope.schema()));
        for (Field field : envelope.schema().fields()) {
            if (field.name().equals("before")) {
                continue;
            }
            Object old = envelope.getWithoutDefault(field.name());
            scrubbedEnvelope.put(field.name(), field.name().equals("after") && old != null ? copy((Struct) old) : old);
        }
        Struct key = record.key() instanceof Struct struct ? copy(struct) : null;
        return record.newRecord(
                record.topic(),
                key == null && isTruncate(envelope) ? TRUNCATES_PARTITION : record.kafkaPartition(),
                key == null ? record.keySchema() : key.schema(),
                key == null ? record.key() : key,
                scrubbedEnvelope.schema(),
                scrubbedEnvelope,
                record.timestamp());
    }

    private static boolean isTruncate(Struct envelope) {
        return envelope.schema().field("op") != null && "t".equals(envelope.getString("op"));
    }

    private Struct copy(Struct from) {
        Struct to = new Struct(scrub(from.schema()));
        for (Field field : from.schema().fields()) {
            to.put(to.schema().field(field.name()), from.getWithoutDefault(field.name()));
        }
        return to;
    }

    /** Position and operation stay as Debezium has them: their defaults are its own. */
    private Schema scrubEnvelope(Schema schema) {
        return remembered(schema, () -> {
            SchemaBuilder builder = start(schema, SchemaBuilder.struct()).parameters(parametersOf(schema));
            for (Field field : schema.fields()) {
                boolean row = field.name().equals("before") || field.name().equals("after");
                builder.field(field.name(), row ? scrub(field.schema()) : field.schema());
            }
            return builder;
        });
    }

    private Schema scrub(Schema schema) {
        return remembered(schema, () -> build(schema));
    }

    private Schema remembered(Schema schema, Supplier<SchemaBuilder> make) {
        Schema known = scrubbed.get(schema);
        if (known == null) {
            if (scrubbed.size() >= SCHEMAS_MAX) {
                scrubbed.clear();
            }
            known = make.get().build();
            scrubbed.put(schema, known);
        }
        return known;
    }

    private SchemaBuilder build(Schema schema) {
        return switch (schema.type()) {
            case STRUCT -> {
                SchemaBuilder builder = start(schema, SchemaBuilder.struct());
                schema.fields().forEach(field -> builder.field(field.name(), scrub(field.schema())));
                yield builder;
            }
            case ARRAY -> start(schema, SchemaBuilder.array(scrub(schema.valueSchema())));
            case MAP -> start(schema, SchemaBuilder.map(scrub(schema.keySchema()), scrub(schema.valueSchema())));
            default -> start(schema, SchemaBuilder.type(schema.type()));
        };
    }

    /** Name, version and optionality; neither default nor doc nor parameters (an enum's are its labels). */
    private static SchemaBuilder start(Schema schema, SchemaBuilder builder) {
        if (schema.name() != null) {
            builder.name(schema.name());
        }
        if (schema.version() != null) {
            builder.version(schema.version());
        }
        return schema.isOptional() ? builder.optional() : builder;
    }

    private static Map<String, String> parametersOf(Schema schema) {
        return schema.parameters() == null ? Map.of() : schema.parameters();
    }

    @Override
    public String version() {
        return "1";
    }

    @Override
    public ConfigDef config() {
        return new ConfigDef();
    }

    @Override
    public void configure(Map<String, ?> settings) {
        // A Debezium without the setting that names it would take no notice, and pass values under other columns' names.
        StreamedColumns.requireSupport();
    }

    @Override
    public void close() {
        scrubbed.clear();
    }
}
