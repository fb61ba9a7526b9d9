// Sends calls with any version of PostHog's Node SDK: node posthog_send.js PACKAGE HOST KEY CALLS, with CALLS as in
// tests/support/sdks.py. Fails if the SDK gives up on an event.
const [name, host, key, calls] = process.argv.slice(2);
const { PostHog } = require(name);

const posthog = new PostHog(key, { host, flushAt: 4, fetchRetryDelay: 200 });
const failed = (error) => {
  console.error(error);
  process.exitCode = 1;
};
posthog.on("error", failed);

const capture = ({ userId, anonymousId }, event, properties) => {
  const anonymous = userId ? {} : { $process_person_profile: false };
  posthog.capture({ distinctId: userId ?? anonymousId, event, properties: { ...properties, ...anonymous } });
};
const make = {
  identify: (c) => posthog.identify({ distinctId: c.userId, properties: c.traits }),
  track: (c) => capture(c, c.event, c.properties),
  page: (c) => capture(c, "$pageview", { name: c.name, ...c.properties }),
  screen: (c) => capture(c, "$screen", { $screen_name: c.name, ...c.properties }),
  group: (c) =>
    posthog.groupIdentify({
      groupType: "company",
      groupKey: c.groupId,
      properties: c.traits,
      distinctId: c.userId,
    }),
  alias: (c) => posthog.alias({ distinctId: c.previousId, alias: c.userId }),
};
for (const call of JSON.parse(calls)) make[call.call](call);
posthog.shutdown().catch(failed);
