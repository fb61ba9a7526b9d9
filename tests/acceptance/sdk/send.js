// Sends calls with Segment's Node SDK: node send.js HOST KEY CALLS, with CALLS as in test_segment_sdks.py.
const { Analytics } = require("@segment/analytics-node");

const [host, writeKey, calls] = process.argv.slice(2);
const analytics = new Analytics({ host, writeKey, flushAt: 4, maxRetries: 0 });
analytics.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});
for (const { call, ...fields } of JSON.parse(calls)) analytics[call](fields);
analytics.closeAndFlush();
