import com.segment.analytics.kotlin.core.Configuration;
import com.segment.analytics.kotlin.core.RequestFactory;
import com.segment.analytics.kotlin.core.compat.ConfigurationBuilder;
import com.segment.analytics.kotlin.core.compat.JavaAnalytics;
import com.segment.analytics.kotlin.core.utilities.InMemoryStorageProvider;
import java.net.HttpURLConnection;
import kotlinx.serialization.json.Json;
import kotlinx.serialization.json.JsonArray;
import kotlinx.serialization.json.JsonElement;
import kotlinx.serialization.json.JsonObject;
import kotlinx.serialization.json.JsonPrimitive;

/**
 * Sends calls with Segment's Kotlin SDK, the core of the one for Android: Send HOST KEY CALLS, with CALLS as in
 * tests/support/sdks.py. It does not tell when it is done: it is to be ended by whoever sees the events arrive.
 */
public class Send {
  public static void main(String[] given) throws Exception {
    String host = given[0].replaceFirst("^http://", "") + "/v1";
    Configuration configuration =
        new ConfigurationBuilder(given[1])
            .setApplication("shop")
            .setApiHost(host)
            .setCdnHost(host)
            .setRequestFactory(new Plain())
            .build();
    configuration.setStorageProvider(new InMemoryStorageProvider());
    JavaAnalytics analytics = new JavaAnalytics(configuration);
    for (JsonElement element : (JsonArray) Json.Default.parseToJsonElement(given[2])) {
      make(analytics, (JsonObject) element);
    }
    for (int tries = 0; tries < 300; tries++) {
      analytics.flush();
      Thread.sleep(200);
    }
    System.exit(1);
  }

  private static void make(JavaAnalytics analytics, JsonObject call) {
    switch (text(call, "call")) {
      case "identify":
        analytics.identify(text(call, "userId"), (JsonObject) call.get("traits"));
        break;
      case "track":
        analytics.track(text(call, "event"), (JsonObject) call.get("properties"));
        break;
      case "screen":
        analytics.screen(text(call, "name"), (JsonObject) call.get("properties"));
        break;
      case "group":
        analytics.group(text(call, "groupId"), (JsonObject) call.get("traits"));
        break;
      case "alias":
        analytics.alias(text(call, "userId"));
        break;
      default:
        throw new IllegalArgumentException(call.toString());
    }
  }

  private static String text(JsonObject call, String name) {
    return ((JsonPrimitive) call.get(name)).getContent();
  }

  /** The SDK speaks https alone: the same requests without it. */
  private static class Plain extends RequestFactory {
    @Override
    public HttpURLConnection openConnection(String url) {
      return super.openConnection(url.replaceFirst("^https:", "http:"));
    }
  }
}
