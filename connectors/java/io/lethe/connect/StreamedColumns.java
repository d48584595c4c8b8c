package io.lethe.connect;

import io.debezium.relational.ConcurrentMapTableMappingStorage;
import io.debezium.relational.RelationalDatabaseConnectorConfig;
import io.debezium.relational.Table;
import io.debezium.relational.TableId;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.config.ConfigException;

/**
 * Debezium's tables, and beside them those that the stream is decoded by: each as its last Relation message had it.
 *
 * <p>pgoutput sends the values of a change without names, in the order of the Relation message before it, which lists the
 * columns of the publication. Debezium takes the n-th value for the n-th column of the table that it knows. A snapshot
 * beside the stream overwrites that table with all columns of the catalog, unpublished ones too, and Postgres sees no
 * reason for another Relation message: from then on the values of a change stood under the names of other columns, and an
 * address that is to be masked came as a nickname that is not. (Debezium 3.7 takes out generated columns there, for the
 * same reason, and no others.)
 *
 * <p>So the decoder is given what the last Relation message said, whatever was read from the catalog since. All others
 * see the latest, and find the decoded values by their names.
 */
public class StreamedColumns extends ConcurrentMapTableMappingStorage<Table> {
    /** What takes a Relation message into the schema; whatever else puts a table has read the catalog. */
    private static final String RELATION_METHOD = "applySchemaChangesForTable";

    private static final String DECODER = "io.debezium.connector.postgresql.connection.pgoutput.PgOutputMessageDecoder";

    /** The decoder asks over seven calls; deeper in the stack it stands whenever a change is processed. */
    private static final int FRAMES_MAX = 10;

    private static final String SCHEMA = "io.debezium.connector.postgresql.PostgresSchema";

    private final Map<TableId, Table> streamed = new ConcurrentHashMap<>();

    /** Fails where Debezium is not as this class takes it to be: it would then protect nothing, and nobody would notice. */
    static void requireSupport() {
        try {
            Class.forName(SCHEMA).getMethod(RELATION_METHOD, int.class, Table.class);
            Class.forName(SCHEMA).getMethod("tableFor", int.class);
            Class.forName(DECODER);
            RelationalDatabaseConnectorConfig.class.getMethod("createTableStorage", boolean.class);
        } catch (ReflectiveOperationException | LinkageError e) {
            throw new ConfigException("Lethe does not know this version of Debezium; it is made for 3.7");
        }
    }

    @Override
    public void configure(RelationalDatabaseConnectorConfig config, boolean tableIdCaseInsensitive, Type type) {
        requireSupport();
        super.configure(config, tableIdCaseInsensitive, type);
    }

    @Override
    public Table put(TableId id, Table table) {
        if (StackWalker.getInstance()
                .walk(frames -> frames.anyMatch(frame -> frame.getMethodName().equals(RELATION_METHOD)))) {
            streamed.put(id, table);
        }
        return super.put(id, table);
    }

    @Override
    public Table get(TableId id) {
        Table latest = super.get(id);
        Table decoding = streamed.get(id);
        return decoding == null || decoding == latest || !isForDecoder() ? latest : decoding;
    }

    @Override
    public Table remove(TableId id) {
        streamed.remove(id);
        return super.remove(id);
    }

    @Override
    public void clear() {
        streamed.clear();
        super.clear();
    }

    private static boolean isForDecoder() {
        return StackWalker.getInstance()
                .walk(frames ->
                        frames.limit(FRAMES_MAX).anyMatch(frame -> frame.getClassName().equals(DECODER)));
    }
}
