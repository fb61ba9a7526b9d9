// PostHog's browser SDK, the newest and an older one, for a page: `PostHog` and `PostHogOlder`.
import { posthog as newest } from "posthog-js";
import { posthog as older } from "posthog-js-1.57";

Object.assign(globalThis, { PostHog: newest, PostHogOlder: older });
