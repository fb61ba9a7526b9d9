// Jitsu's SDK, the newest and an older one, for a page: `Jitsu` and `JitsuOlder`.
import * as newest from "@jitsu/js";
import * as older from "jitsu-js-1.9";

Object.assign(globalThis, { Jitsu: newest, JitsuOlder: older });
