package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func groups() map[string]body {
	return map[string]body{
		"group-eager":           func(r run) error { return twoMembers(r, 4, kgo.Balancers(kgo.RangeBalancer())) },
		"group-cooperative":     func(r run) error { return twoMembers(r, 2, kgo.Balancers(kgo.CooperativeStickyBalancer())) },
		"group-static":          groupStatic,
		"commit-resume":         commitResume,
		"manual-commit":         func(r run) error { return used(r, func(*kadm.Client) error { return nil }) },
		"groups-list":           groupsList,
		"groups-describe":       groupsDescribe,
		"groups-delete":         groupsDelete,
		"groups-alter-offsets":  groupsAlterOffsets,
		"groups-delete-offsets": groupsDeleteOffsets,
	}
}

// member notes what it holds, loses and reads.
type member struct {
	lock        sync.Mutex
	held        map[int32]bool
	seen        map[string]bool
	lost, times int
	client      *kgo.Client
	stop        func()
}

func join(r run, options ...kgo.Opt) *member {
	m := &member{held: map[int32]bool{}, seen: map[string]bool{}}
	gone := func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
		m.lock.Lock()
		defer m.lock.Unlock()
		for _, partition := range partitions[r.name("t")] {
			delete(m.held, partition)
			m.lost++
		}
	}
	given := func(_ context.Context, _ *kgo.Client, partitions map[string][]int32) {
		m.lock.Lock()
		defer m.lock.Unlock()
		m.times++
		for _, partition := range partitions[r.name("t")] {
			m.held[partition] = true
		}
	}
	m.client = r.client(append([]kgo.Opt{kgo.ConsumerGroup(r.name("group")), kgo.ConsumeTopics(r.name("t")), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(300 * time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.OnPartitionsAssigned(given), kgo.OnPartitionsRevoked(gone), kgo.OnPartitionsLost(gone)}, options...)...)
	ctx, cancel := context.WithCancel(r.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			m.client.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
				m.lock.Lock()
				defer m.lock.Unlock()
				m.seen[fmt.Sprint(record.Partition, " ", record.Offset)] = true
			})
		}
	}()
	m.stop = func() { cancel(); <-done; m.client.Close() }
	return m
}

func (m *member) now() (held string, size, lost, seen, times int) {
	m.lock.Lock()
	defer m.lock.Unlock()
	return fmt.Sprint(m.held), len(m.held), m.lost, len(m.seen), m.times
}

func settled(size int, members ...*member) func() bool {
	return func() bool {
		for _, m := range members {
			if _, held, _, _, _ := m.now(); held != size {
				return false
			}
		}
		return true
	}
}

// The first gives up `lost` partitions when the second comes, and has all again when it goes.
func twoMembers(r run, lost int, options ...kgo.Opt) error {
	if err := create(r, "t", 4); err != nil {
		return err
	}
	first := join(r, options...)
	defer first.stop()
	if err := until("the first to have all", 20*time.Second, settled(4, first)); err != nil {
		return err
	}
	second := join(r, options...)
	err := until("both to have half", 20*time.Second, settled(2, first, second))
	_, _, gave, _, _ := first.now()
	var records []*kgo.Record
	for n := range 40 {
		records = append(records, &kgo.Record{Topic: r.name("t"), Partition: int32(n % 4), Value: []byte("v")})
	}
	err = errors.Join(err, equal(gave, lost, "the number of partitions that the first had to give up"), publish(r, records),
		until("all records", 20*time.Second, func() bool {
			_, _, _, one, _ := first.now()
			_, _, _, two, _ := second.now()
			return one+two == 40
		}))
	second.stop()
	return errors.Join(err, until("the first to have all again", 20*time.Second, settled(4, first)))
}

func groupStatic(r run) error {
	if err := create(r, "t", 4); err != nil {
		return err
	}
	static := func(id string) *member { return join(r, kgo.InstanceID(id), kgo.SessionTimeout(20*time.Second)) }
	first := static("first")
	defer first.stop()
	second := static("second")
	err := until("both to have half", 30*time.Second, settled(2, first, second))
	held, _, _, _, _ := second.now()
	_, _, _, _, before := first.now()
	second.stop()
	again := static("second")
	defer again.stop()
	err = errors.Join(err, until("its partitions to come back", 15*time.Second, settled(2, again)))
	found, _, _, _, _ := again.now()
	_, _, _, _, after := first.now()
	return errors.Join(err, equal(found, held, "its partitions"), equal(after, before, "the number of rebalances that the first saw"))
}

func commitResume(r run) error {
	if err := errors.Join(create(r, "t", 1), produce(r, numbers(4))); err != nil {
		return err
	}
	for _, expected := range []string{"0", "2"} {
		client := r.client(kgo.ConsumerGroup(r.name("group")), kgo.ConsumeTopics(r.name("t")), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		read := client.PollRecords(r.ctx, 2).Records()
		if len(read) == 0 {
			return errors.New("nothing was read")
		}
		err := errors.Join(equal(string(read[0].Value), expected, "the first that was read"), client.CommitRecords(r.ctx, read[len(read)-1]))
		client.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func commit(r run, admin *kadm.Client, what string, at int64) error {
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: r.name(what), Partition: 0, At: at, LeaderEpoch: -1, Metadata: "by hand"})
	found, err := admin.CommitOffsets(r.ctx, r.name("group"), offsets)
	return errors.Join(err, found.Error())
}

func committed(r run, admin *kadm.Client, expected string) error {
	found, err := admin.FetchOffsets(r.ctx, r.name("group"))
	if err != nil {
		return err
	}
	text := ""
	if offset, there := found.Lookup(r.name("t"), 0); there {
		text = fmt.Sprint(offset.At, " ", offset.Metadata)
	}
	return equal(text, expected, "the offset")
}

// used makes a group with an offset in a topic, and no member.
func used(r run, act func(*kadm.Client) error) error {
	return errors.Join(create(r, "t", 1), r.admin(func(admin *kadm.Client) error {
		return errors.Join(commit(r, admin, "t", 7), committed(r, admin, "7 by hand"), act(admin))
	}))
}

func groupsList(r run) error {
	return used(r, func(admin *kadm.Client) error {
		found, err := admin.ListGroups(r.ctx, "Empty")
		return errors.Join(err, equal(found[r.name("group")].State, "Empty", "its state"))
	})
}

func groupsDescribe(r run) error {
	if err := create(r, "t", 4); err != nil {
		return err
	}
	one := join(r)
	defer one.stop()
	if err := until("it to have all", 20*time.Second, settled(4, one)); err != nil {
		return err
	}
	return r.admin(func(admin *kadm.Client) error {
		lags, err := admin.Lag(r.ctx, r.name("group"))
		if err != nil {
			return err
		}
		lag := lags[r.name("group")]
		if len(lag.Members) != 1 {
			return fmt.Errorf("its members: %v, %w", lag.Members, lag.Error())
		}
		assigned, _ := lag.Members[0].Assigned.AsConsumer()
		text := fmt.Sprint(lag.State, " ", lag.ProtocolType, " ", lag.Members[0].ClientID, " ", len(assigned.Topics[0].Partitions), " ", lag.Lag.Total())
		return equal(text, "Stable consumer the-client 4 0", "the group")
	})
}

func groupsDelete(r run) error {
	return used(r, func(admin *kadm.Client) error {
		_, first := admin.DeleteGroup(r.ctx, r.name("group"))
		_, second := admin.DeleteGroup(r.ctx, r.name("group"))
		return errors.Join(first, refused(second, kerr.GroupIDNotFound))
	})
}

func groupsAlterOffsets(r run) error {
	return used(r, func(admin *kadm.Client) error { return errors.Join(commit(r, admin, "t", 9), committed(r, admin, "9 by hand")) })
}

func groupsDeleteOffsets(r run) error {
	return used(r, func(admin *kadm.Client) error {
		topics := kadm.TopicsSet{}
		topics.Add(r.name("t"), 0)
		err := errors.Join(create(r, "other", 1), commit(r, admin, "other", 1))
		found, failure := admin.DeleteOffsets(r.ctx, r.name("group"), topics)
		return errors.Join(err, failure, found.Error(), committed(r, admin, ""))
	})
}
