// RudderStack's browser SDK, the newest and an older one, for a page: `Rudder` and `RudderOlder`.
import * as newest from "@rudderstack/analytics-js/bundled";
import * as older from "rudder-js-3.7/bundled";

Object.assign(globalThis, { Rudder: newest, RudderOlder: older });
