// Sends calls with Segment's Go SDK: segment HOST KEY CALLS, with CALLS as in tests/support/sdks.py. Fails if the SDK
// gives up on an event.
package main

import (
	"encoding/json"
	"log"
	"os"
	"sync"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

type call struct {
	Call, UserId, AnonymousId, PreviousId, GroupId, Event, Name string
	Properties                                                  analytics.Properties
	Traits                                                      analytics.Traits
}

// outcomes waits for every event: Close gives up on those that the SDK has still to try again.
type outcomes struct{ sync.WaitGroup }

func (o *outcomes) Success(analytics.Message) { o.Done() }

func (o *outcomes) Failure(message analytics.Message, err error) {
	log.Fatalf("not sent: %v: %v", message, err)
}

func main() {
	host, key, text := os.Args[1], os.Args[2], os.Args[3]
	var calls []call
	if err := json.Unmarshal([]byte(text), &calls); err != nil {
		log.Fatal(err)
	}
	var sent outcomes
	config := analytics.Config{Endpoint: host, BatchSize: 4, Interval: 100 * time.Millisecond, Callback: &sent}
	client, err := analytics.NewWithConfig(key, config)
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range calls {
		sent.Add(1)
		if err := client.Enqueue(c.message()); err != nil {
			log.Fatal(err)
		}
	}
	sent.Wait()
	if err := client.Close(); err != nil {
		log.Fatal(err)
	}
}

func (c call) message() analytics.Message {
	switch c.Call {
	case "identify":
		return analytics.Identify{UserId: c.UserId, AnonymousId: c.AnonymousId, Traits: c.Traits}
	case "track":
		return analytics.Track{UserId: c.UserId, AnonymousId: c.AnonymousId, Event: c.Event, Properties: c.Properties}
	case "page":
		return analytics.Page{UserId: c.UserId, AnonymousId: c.AnonymousId, Name: c.Name, Properties: c.Properties}
	case "screen":
		return analytics.Screen{UserId: c.UserId, AnonymousId: c.AnonymousId, Name: c.Name, Properties: c.Properties}
	case "group":
		return analytics.Group{UserId: c.UserId, AnonymousId: c.AnonymousId, GroupId: c.GroupId, Traits: c.Traits}
	case "alias":
		return analytics.Alias{UserId: c.UserId, PreviousId: c.PreviousId}
	}
	log.Fatalf("unknown call %q", c.Call)
	return nil
}
