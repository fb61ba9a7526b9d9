// Segment's browser SDK, the newest and an older one, for a page: `Segment` and `SegmentOlder`.
import * as newest from "@segment/analytics-next";
import * as older from "analytics-next-1.81";

Object.assign(globalThis, { Segment: newest, SegmentOlder: older });
