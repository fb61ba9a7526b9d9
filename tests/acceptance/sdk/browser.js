// The page's entry to Segment's browser SDK, bundled into one file by tests/support/node.py.
export { AnalyticsBrowser } from "@segment/analytics-next";
