// The cases of franz-go, with its admin client kadm.
//
//	franz --list
//	franz ADDRESS PREFIX CASE…
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

type run struct {
	address, prefix string
	ctx             context.Context
}

func (r run) name(what string) string { return r.prefix + "-" + what }

func (r run) client(options ...kgo.Opt) *kgo.Client {
	options = append([]kgo.Opt{kgo.SeedBrokers(r.address), kgo.ClientID("the-client"), kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.FetchMaxWait(300 * time.Millisecond), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.UnknownTopicRetries(1)}, options...)
	client, err := kgo.NewClient(options...)
	if err != nil {
		panic(err)
	}
	return client
}

func (r run) admin(act func(*kadm.Client) error) error {
	admin := kadm.NewClient(r.client())
	defer admin.Close()
	return act(admin)
}

type body func(r run) error

func equal(found, expected any, what string) error {
	if fmt.Sprint(found) != fmt.Sprint(expected) {
		return fmt.Errorf("%s: %.300s, not %.300s", what, fmt.Sprint(found), fmt.Sprint(expected))
	}
	return nil
}

func refused(err error, expected error) error {
	if !errors.Is(err, expected) {
		return fmt.Errorf("refused with %v, not %v", err, expected)
	}
	return nil
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
	for _, some := range []map[string]body{basics(), administration(), groups(), transactions()} {
		for name, act := range some {
			known[name] = act
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
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
		if err := known[name](run{os.Args[1], os.Args[2] + "-" + name, ctx}); err != nil {
			failure = err.Error()
		}
		cancel()
		line, _ := json.Marshal(map[string]any{"case": name, "ok": failure == "", "error": failure, "seconds": time.Since(begin).Seconds()})
		fmt.Println(string(line))
	}
}
