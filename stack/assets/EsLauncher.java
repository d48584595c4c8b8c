import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginBundle;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * Runs one Elasticsearch node in this JVM, for demos and tests on one machine: without entitlements, without
 * bootstrap checks, without security, and so on the loopback interface only. The arguments are the folder of
 * Elasticsearch and the folder of its configuration. SIGTERM closes the node.
 */
public final class EsLauncher {
  private static final long CLOSE_LIMIT_SECONDS = 10;

  private EsLauncher() {}

  public static void main(String[] args) throws Exception {
    if (args.length != 2) {
      System.err.println("usage: EsLauncher HOME CONFIG");
      System.exit(2);
    }
    Path home = Path.of(args[0]).toAbsolutePath();
    Path config = Path.of(args[1]).toAbsolutePath();
    System.setProperty("es.path.home", home.toString());
    System.setProperty("es.path.conf", config.toString());
    System.setProperty("es.distribution.type", "zip");
    // First of all: classes that log while they load fail without it.
    LogConfigurator.configureESLogging();
    LogConfigurator.registerErrorListener();
    Settings settings = Settings.builder().put("path.home", home.toString()).build();
    Environment environment =
        InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> "lethe");
    LogConfigurator.setNodeName(Node.NODE_NAME_SETTING.get(environment.settings()));
    LogConfigurator.configure(environment, true);
    PluginsLoader plugins =
        PluginsLoader.createPluginsLoader(
            bundles("loadModulesBundles", home.resolve("modules")),
            bundles("loadPluginsBundles", home.resolve("plugins")),
            Map.of());
    Node node = new Node(environment, plugins);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "close"));
    node.start();
    Thread.currentThread().join();
  }

  private static void close(Node node) {
    try {
      node.close();
      if (!node.awaitClose(CLOSE_LIMIT_SECONDS, TimeUnit.SECONDS)) {
        System.err.println("the node did not close within " + CLOSE_LIMIT_SECONDS + " s");
      }
    } catch (Exception e) {
      e.printStackTrace();
    }
  }

  /** The loader's methods differ in their parameters between minor versions. */
  @SuppressWarnings("unchecked")
  private static Set<PluginBundle> bundles(String loader, Path folder) throws Exception {
    for (Method method : PluginsLoader.class.getMethods()) {
      if (method.getName().equals(loader)) {
        Object found =
            method.getParameterCount() == 1 ? method.invoke(null, folder) : method.invoke(null, folder, false);
        return (Set<PluginBundle>) found;
      }
    }
    throw new NoSuchMethodException(loader);
  }
}
