// Sends calls with any version of Jitsu's SDK, as a server: node jitsu_send.js PACKAGE HOST KEY CALLS, with CALLS as in
// tests/support/sdks.py. Says on standard output what the SDK complained of.
const [name, host, key, calls] = process.argv.slice(2);
const { jitsuAnalytics } = require(name);

console.error = (message) => console.log(message);
const jitsu = jitsuAnalytics({ host, writeKey: `${key}:any`, s2s: true });
const make = {
  identify: ({ userId, traits, ...ids }) => jitsu.identify(userId, traits, ids),
  track: ({ event, properties, ...ids }) => jitsu.track(event, properties, ids),
  page: ({ name, properties, ...ids }) => jitsu.page({ name, ...properties }, ids),
  group: ({ groupId, traits, ...ids }) => jitsu.group(groupId, traits, ids),
};
(async () => {
  for (const { call, ...fields } of JSON.parse(calls)) await make[call](fields);
})();
