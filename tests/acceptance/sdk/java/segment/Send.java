import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.ToNumberPolicy;
import com.segment.analytics.Analytics;
import com.segment.analytics.Callback;
import com.segment.analytics.messages.AliasMessage;
import com.segment.analytics.messages.GroupMessage;
import com.segment.analytics.messages.IdentifyMessage;
import com.segment.analytics.messages.Message;
import com.segment.analytics.messages.MessageBuilder;
import com.segment.analytics.messages.PageMessage;
import com.segment.analytics.messages.ScreenMessage;
import com.segment.analytics.messages.TrackMessage;
import com.segment.backo.Backo;
import java.lang.reflect.Field;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * Sends calls with Segment's Java SDK: Send HOST KEY CALLS, with CALLS as in tests/support/sdks.py. Fails if the SDK
 * gives up on an event.
 */
public class Send {
  static class Call {
    String call, userId, anonymousId, previousId, groupId, event, name;
    Map<String, Object> properties, traits;

    MessageBuilder<?, ?> message() {
      switch (call) {
        case "identify":
          return IdentifyMessage.builder().traits(traits);
        case "track":
          return TrackMessage.builder(event).properties(properties);
        case "page":
          return PageMessage.builder(name).properties(properties);
        case "screen":
          return ScreenMessage.builder(name).properties(properties);
        case "group":
          return GroupMessage.builder(groupId).traits(traits);
        case "alias":
          return AliasMessage.builder(previousId);
        default:
          throw new IllegalArgumentException(call);
      }
    }
  }

  public static void main(String[] given) throws Exception {
    Gson gson = new GsonBuilder().setObjectToNumberStrategy(ToNumberPolicy.LONG_OR_DOUBLE).create();
    Call[] calls = gson.fromJson(given[2], Call[].class);
    CountDownLatch sent = new CountDownLatch(calls.length);
    hurry();
    Analytics analytics =
        Analytics.builder(given[1]).endpoint(given[0]).flushQueueSize(4).callback(new Outcomes(sent)).build();
    for (Call call : calls) {
      MessageBuilder<?, ?> message = call.message();
      if (call.userId != null) message.userId(call.userId);
      if (call.anonymousId != null) message.anonymousId(call.anonymousId);
      analytics.enqueue(message);
    }
    analytics.flush();
    sent.await();
    System.exit(0);
  }

  /** The SDK waits up to half a minute before it tries again, and has no option for it: here half a second. */
  private static void hurry() throws Exception {
    Class<?> task = Class.forName("com.segment.analytics.internal.AnalyticsClient$BatchUploadTask");
    Field waits = task.getDeclaredField("BACKO");
    waits.setAccessible(true);
    Field base = Backo.class.getDeclaredField("base");
    base.setAccessible(true);
    base.set(waits.get(null), 250L);
  }

  private static class Outcomes implements Callback {
    private final CountDownLatch sent;

    Outcomes(CountDownLatch sent) {
      this.sent = sent;
    }

    @Override
    public void success(Message message) {
      sent.countDown();
    }

    @Override
    public void failure(Message message, Throwable fault) {
      System.err.println("not sent: " + message + ": " + fault);
      System.exit(1);
    }
  }
}
