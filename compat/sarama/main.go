// The cases of sarama, of its newest version and of 1.19 (build tag v119), which in its default configuration speaks the
// protocol of Kafka 0.8.2: PROTOCOL=0.8.2.0. What each version lacks is in newest.go and v119.go.
//
//	sarama --list
//	sarama ADDRESS PREFIX CASE…
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

type run struct{ address, prefix string }

type body func(r run) error

// One case and the oldest protocol that it needs.
type entry struct {
	name  string
	since sarama.KafkaVersion
	body  body
}

func (r run) name(what string) string { return r.prefix + "-" + what }

func protocol() sarama.KafkaVersion {
	spoken := os.Getenv("PROTOCOL")
	if spoken == "" {
		return newestProtocol
	}
	version, err := sarama.ParseKafkaVersion(spoken)
	if err != nil {
		panic(err)
	}
	return version
}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.ClientID = "the-client"
	c.Version = protocol()
	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.Group.Session.Timeout = 6 * time.Second
	c.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	c.Consumer.MaxWaitTime = 200 * time.Millisecond
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	return c
}

func cases() []entry {
	return append(append(basics(), administration()...), versionCases()...)
}

func equal(found, expected any, what string) error {
	if fmt.Sprint(found) != fmt.Sprint(expected) {
		return fmt.Errorf("%s: %.300s, not %.300s", what, fmt.Sprint(found), fmt.Sprint(expected))
	}
	return nil
}

func refused(err error, names ...string) error {
	if err == nil {
		return errors.New("it was not refused")
	}
	for _, name := range names {
		if strings.Contains(err.Error(), name) {
			return nil
		}
	}
	return fmt.Errorf("refused with %w, not %v", err, names)
}

func until(what string, limit time.Duration, ready func() bool) error {
	for end := time.Now().Add(limit); !ready(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("waited %s for %s", limit, what)
		}
	}
	return nil
}

func main() {
	known := map[string]body{}
	for _, c := range cases() {
		if protocol().IsAtLeast(c.since) {
			known[c.name] = c.body
		}
	}
	if len(os.Args) == 2 && os.Args[1] == "--list" {
		for name := range known {
			fmt.Println(name)
		}
		return
	}
	for _, name := range os.Args[3:] {
		begin, failure := time.Now(), ""
		if err := known[name](run{os.Args[1], os.Args[2] + "-" + name}); err != nil {
			failure = err.Error()
		}
		line, _ := json.Marshal(map[string]any{"case": name, "ok": failure == "", "error": failure, "seconds": time.Since(begin).Seconds()})
		fmt.Println(string(line))
	}
}
