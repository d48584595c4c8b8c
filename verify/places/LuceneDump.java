import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.DataOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.Inflater;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.CodecUtil;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.IndexCommit;
import org.apache.lucene.index.IndexFileNames;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.PointValues;
import org.apache.lucene.index.SegmentCommitInfo;
import org.apache.lucene.index.SegmentInfo;
import org.apache.lucene.index.SegmentInfos;
import org.apache.lucene.index.SortedNumericDocValues;
import org.apache.lucene.index.StoredFieldVisitor;
import org.apache.lucene.index.Terms;
import org.apache.lucene.index.TermsEnum;
import org.apache.lucene.store.ChecksumIndexInput;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.NIOFSDirectory;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.Version;

/**
 * Writes out everything that Lucene indexes on disk hold, decompressed, with the libraries of the server that wrote
 * them: stored fields of all documents (deleted ones too, until a merge drops them), terms, doc values, points.
 *
 * Standard input: one folder a line. Standard output, frames of a letter, a length (4 bytes) and bytes: L the name of
 * what follows, V a value, P a problem, N a number of documents (decimal text). Values are cut nowhere.
 */
public final class LuceneDump {
  private static final int MOST_ATTEMPTS = 10;
  private static final int ATTEMPTS_AT_REST = 3;
  private static final int PAUSE_MS = 100;
  private static final String NO_COMMIT = IndexNotFoundException.class.getSimpleName();
  private static final Set<String> LOCK_AT_MOST = Set.of(IndexWriter.WRITE_LOCK_NAME);

  private static final byte[] DEFLATED = {'D', 'F', 'L', 0};
  private final DataOutputStream out;

  private LuceneDump(DataOutputStream out) {
    this.out = out;
  }

  public static void main(String[] args) throws Exception {
    // Libraries may print on System.out: the frames have the descriptor for themselves.
    DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16));
    System.setOut(System.err);
    LuceneDump dump = new LuceneDump(out);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) dump.folder(Path.of(line));
    out.flush();
  }

  /**
   * The server takes files away while they are read, and has some half written: what stands there then is read anew,
   * and may be told twice. What cannot be read though nobody writes to it is a problem. An index that had a commit
   * when its folder was named and has none now is being deleted, however slowly; a folder with nothing but the lock
   * has nothing to be read.
   */
  private void folder(Path path) throws IOException {
    for (int attempt = 1; ; attempt++) {
      Map<String, Long> before = sizes(path);
      String failure = read(path);
      if (failure == null || LOCK_AT_MOST.containsAll(sizes(path).keySet())) return;
      out.flush();
      pause(attempt);
      boolean changes = failure.equals(NO_COMMIT) || !sizes(path).equals(before);
      if (attempt >= (changes ? MOST_ATTEMPTS : ATTEMPTS_AT_REST)) {
        problem(path, changes && !failure.equals(NO_COMMIT) ? "changed while it was read" : failure);
        return;
      }
    }
  }

  /** Null when all of it was read; else what has failed. */
  private String read(Path path) throws IOException {
    Set<String> seen = new HashSet<>();
    Set<String> codecs = new LinkedHashSet<>();
    try (Directory directory = new NIOFSDirectory(path)) {
      for (IndexCommit commit : DirectoryReader.listCommits(directory)) {
        for (SegmentCommitInfo segment : SegmentInfos.readCommit(directory, commit.getSegmentsFileName())) {
          codecs.add(segment.info.getCodec().getName());
        }
        try (DirectoryReader reader = DirectoryReader.open(commit)) {
          for (LeafReaderContext leaf : reader.leaves()) {
            String name = leaf.reader().toString();
            name = name.substring(0, name.indexOf('('));
            if (seen.add(name)) segment(path, name, leaf.reader());
          }
        }
      }
      codecs.add(Codec.getDefault().getName());
      for (String file : directory.listAll()) {
        String name = IndexFileNames.parseSegmentName(file);
        if (file.endsWith(".si") && !file.startsWith("pending") && seen.add(name)) {
          uncommitted(path, directory, name, codecs);
        }
      }
    } catch (IOException | RuntimeException failed) {
      return failed.getClass().getSimpleName();
    }
    return null;
  }

  /** How long each file is; nothing where the folder is gone. */
  private static Map<String, Long> sizes(Path path) throws IOException {
    Map<String, Long> sizes = new HashMap<>();
    try (Stream<Path> files = Files.list(path)) {
      for (Path file : files.toList()) sizes.put(file.getFileName().toString(), file.toFile().length());
    } catch (NoSuchFileException | UncheckedIOException gone) {
      return Map.of();
    }
    return sizes;
  }

  /** Nobody tells when a server has written a file to its end. */
  private static void pause(int attempt) throws IOException {
    try {
      Thread.sleep((long) PAUSE_MS * attempt);
    } catch (InterruptedException ended) {
      throw new IOException(ended);
    }
  }

  /** A segment that no commit names: its files are copied beside, into an index that has nothing else. */
  private void uncommitted(Path path, Directory directory, String name, Set<String> codecs) throws IOException {
    Path copy = Files.createTempDirectory("lucene-dump");
    try (Directory target = new NIOFSDirectory(copy)) {
      for (String file : directory.listAll()) {
        if (file.startsWith(name + ".") || file.startsWith(name + "_")) {
          target.copyFrom(directory, file, file, IOContext.READONCE);
        }
      }
      IOException failure = null;
      for (String codec : codecs) {
        try {
          SegmentInfo info =
              Codec.forName(codec).segmentInfoFormat().read(target, name, idOf(target, name), IOContext.READONCE);
          info.setCodec(Codec.forName(codec));
          SegmentInfos infos = new SegmentInfos(Version.LATEST.major);
          infos.add(new SegmentCommitInfo(info, 0, 0, -1, -1, -1, null));
          infos.commit(target);
          try (DirectoryReader reader = DirectoryReader.open(target)) {
            for (LeafReaderContext leaf : reader.leaves()) segment(path, name, leaf.reader());
          }
          return;
        } catch (IOException wrongCodec) {
          failure = wrongCodec;
        }
      }
      // A merge that is under way writes its files before they are whole.
      if (List.of(directory.listAll()).contains(name + ".si")) throw failure;
    } catch (NoSuchFileException | java.io.FileNotFoundException gone) {
      return;
    } finally {
      try (Stream<Path> files = Files.list(copy)) {
        for (Path file : files.toList()) Files.delete(file);
      }
      Files.delete(copy);
    }
  }

  private static byte[] idOf(Directory directory, String name) throws IOException {
    byte[] id = new byte[16];
    try (ChecksumIndexInput in = directory.openChecksumInput(name + ".si", IOContext.READONCE)) {
      CodecUtil.readBEInt(in);
      in.readString();
      CodecUtil.readBEInt(in);
      in.readBytes(id, 0, id.length);
    }
    return id;
  }

  private void segment(Path path, String name, LeafReader reader) throws IOException {
    String where = path + " segment " + name;
    frame('N', Integer.toString(reader.maxDoc()));
    frame('L', where + " stored fields");
    Stored stored = new Stored();
    for (int doc = 0; doc < reader.maxDoc(); doc++) reader.storedFields().document(doc, stored);
    for (FieldInfo field : reader.getFieldInfos()) {
      if (field.getIndexOptions() != IndexOptions.NONE) {
        frame('L', where + " terms of " + field.name);
        terms(reader.terms(field.name));
      }
      frame('L', where + " doc values of " + field.name);
      docValues(reader, field);
      if (field.getPointDimensionCount() > 0) {
        frame('L', where + " points of " + field.name);
        points(reader.getPointValues(field.name));
      }
    }
    for (int doc = 0; doc < reader.maxDoc(); doc++) {
      var vectors = reader.termVectors().get(doc);
      if (vectors == null) continue;
      frame('L', where + " term vectors");
      for (String field : vectors) terms(vectors.terms(field));
    }
  }

  private void terms(Terms terms) throws IOException {
    if (terms == null) return;
    TermsEnum each = terms.iterator();
    for (BytesRef term = each.next(); term != null; term = each.next()) value(term);
  }

  private void docValues(LeafReader reader, FieldInfo field) throws IOException {
    switch (field.getDocValuesType()) {
      case NONE -> { }
      case NUMERIC -> {
        NumericDocValues values = reader.getNumericDocValues(field.name);
        while (values != null && values.nextDoc() != NumericDocValues.NO_MORE_DOCS) number(values.longValue());
      }
      case SORTED_NUMERIC -> {
        SortedNumericDocValues values = reader.getSortedNumericDocValues(field.name);
        while (values != null && values.nextDoc() != SortedNumericDocValues.NO_MORE_DOCS) {
          for (int i = 0; i < values.docValueCount(); i++) number(values.nextValue());
        }
      }
      case BINARY -> {
        BinaryDocValues values = reader.getBinaryDocValues(field.name);
        while (values != null && values.nextDoc() != BinaryDocValues.NO_MORE_DOCS) value(values.binaryValue());
      }
      case SORTED -> dictionary(reader.getSortedDocValues(field.name).termsEnum());
      case SORTED_SET -> dictionary(reader.getSortedSetDocValues(field.name).termsEnum());
    }
  }

  private void dictionary(TermsEnum each) throws IOException {
    for (BytesRef term = each.next(); term != null; term = each.next()) value(term);
  }

  private void points(PointValues points) throws IOException {
    if (points == null) return;
    points.intersect(
        new PointValues.IntersectVisitor() {
          @Override
          public void visit(int doc) { }

          @Override
          public void visit(int doc, byte[] packed) throws IOException {
            frame('V', packed, 0, packed.length);
          }

          @Override
          public PointValues.Relation compare(byte[] min, byte[] max) {
            return PointValues.Relation.CELL_CROSSES_QUERY;
          }
        });
  }

  private final class Stored extends StoredFieldVisitor {
    @Override
    public void binaryField(FieldInfo field, byte[] bytes) throws IOException {
      frame('V', bytes, 0, bytes.length);
      if (bytes.length > 4 && java.util.Arrays.equals(bytes, 0, 4, DEFLATED, 0, 4)) inflate(bytes);
    }

    @Override
    public void stringField(FieldInfo field, String text) throws IOException {
      frame('V', text);
    }

    @Override
    public void intField(FieldInfo field, int number) throws IOException {
      number(number);
    }

    @Override
    public void longField(FieldInfo field, long number) throws IOException {
      number(number);
    }

    @Override
    public void floatField(FieldInfo field, float number) throws IOException {
      frame('V', Float.toString(number));
    }

    @Override
    public void doubleField(FieldInfo field, double number) throws IOException {
      frame('V', Double.toString(number));
    }

    @Override
    public Status needsField(FieldInfo field) {
      return Status.YES;
    }
  }

  /** Elasticsearch deflates what it stores of the cluster's state. */
  private void inflate(byte[] bytes) throws IOException {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(bytes, DEFLATED.length, bytes.length - DEFLATED.length);
      java.io.ByteArrayOutputStream whole = new java.io.ByteArrayOutputStream();
      byte[] buffer = new byte[1 << 16];
      while (!inflater.finished()) {
        int length = inflater.inflate(buffer);
        if (length == 0 && (inflater.needsInput() || inflater.needsDictionary())) break;
        whole.write(buffer, 0, length);
      }
      frame('V', whole.toByteArray(), 0, whole.size());
    } catch (java.util.zip.DataFormatException notDeflated) {
      return;
    } finally {
      inflater.end();
    }
  }

  private void number(long number) throws IOException {
    frame('V', Long.toString(number));
  }

  private void value(BytesRef bytes) throws IOException {
    frame('V', bytes.bytes, bytes.offset, bytes.length);
  }

  private void problem(Path path, String what) throws IOException {
    frame('P', path + ": " + what);
  }

  private void frame(char kind, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    frame(kind, bytes, 0, bytes.length);
  }

  private void frame(char kind, byte[] bytes, int offset, int length) throws IOException {
    out.writeByte(kind);
    out.writeInt(length);
    out.write(bytes, offset, length);
  }
}
