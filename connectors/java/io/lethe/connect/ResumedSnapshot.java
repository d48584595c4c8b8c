package io.lethe.connect;

import io.debezium.spi.snapshot.Snapshotter;
import java.util.Map;

/**
 * Debezium's `initial` snapshot, but one that was cut short is taken up without a gap.
 *
 * <p>When a worker dies in the middle of its first snapshot, `initial` takes another one and streams from there. Rows
 * that the first one has already written and that were deleted before the second began are then in neither, and stay in
 * every store for ever. The replication slot has had all changes since the first one. So after a snapshot that was cut
 * short this one asks for the stream from the slot's position too: Debezium streams what happened since, then takes the
 * snapshot, then goes on.
 */
public class ResumedSnapshot implements Snapshotter {
    private boolean resumed;

    @Override
    public String name() {
        return "lethe_initial";
    }

    @Override
    public void configure(Map<String, ?> properties) {}

    /** Asked first of all, with what the stored offset says. */
    @Override
    public boolean shouldSnapshotData(boolean offsetExists, boolean snapshotInProgress) {
        resumed = offsetExists && snapshotInProgress;
        return !offsetExists || snapshotInProgress;
    }

    @Override
    public boolean shouldSnapshotSchema(boolean offsetExists, boolean snapshotInProgress) {
        return !offsetExists || snapshotInProgress;
    }

    @Override
    public boolean shouldStream() {
        return true;
    }

    @Override
    public boolean shouldSnapshotOnSchemaError() {
        return false;
    }

    @Override
    public boolean shouldSnapshotOnDataError() {
        return false;
    }

    @Override
    public boolean shouldStreamEventsStartingFromSnapshot() {
        return !resumed;
    }
}
