// Sends calls with any version of RudderStack's Node SDK: node rudder_send.js PACKAGE HOST KEY CALLS, with CALLS as in
// tests/support/sdks.py. Fails if the SDK gives up on an event.
const [name, dataPlaneUrl, key, calls] = process.argv.slice(2);
const Analytics = require(name);

function failed(error) {
  console.error(error.message);
  process.exitCode = 1;
}

const analytics = new (Analytics.default ?? Analytics)(key, { dataPlaneUrl, flushAt: 4, errorHandler: failed });
for (const { call, ...fields } of JSON.parse(calls)) analytics[call](fields);
(async () => {
  while (analytics.queue.length) await analytics.flush();
  await analytics.flush();
})();
