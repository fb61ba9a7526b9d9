// Sends calls with any version of Segment's Node SDK: node segment_send.js PACKAGE HOST KEY CALLS, with CALLS as in
// tests/support/sdks.py. Fails if the SDK gives up on an event.
const [name, host, writeKey, calls] = process.argv.slice(2);
const sdk = require(name);

function failed(error) {
  console.error(error);
  process.exitCode = 1;
}

let analytics, close;
if (sdk.Analytics) {
  analytics = new sdk.Analytics({ host, writeKey, flushAt: 4 });
  analytics.on("error", failed);
  close = () => analytics.closeAndFlush();
} else {
  // Before @segment/analytics-node it was one class, which sends the first event at once and alone.
  analytics = new sdk(writeKey, { host, flushAt: 4, errorHandler: failed });
  close = () => analytics.flush();
}
for (const { call, ...fields } of JSON.parse(calls)) analytics[call](fields);
close();
