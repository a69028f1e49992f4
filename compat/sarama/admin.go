package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

func administration() []entry {
	return []entry{
		{"create-topic", sarama.V0_10_2_0, createTopic},
		{"delete-topic", sarama.V0_10_2_0, deleteTopic},
		{"create-partitions", sarama.V1_0_0_0, createPartitions},
		{"describe-configs", sarama.V0_11_0_0, describeConfigs},
		{"alter-configs", sarama.V0_11_0_0, alterConfigs},
		{"delete-records", sarama.V0_11_0_0, deleteRecords},
		{"group-eager", sarama.V0_10_2_0, groupEager},
		{"commit-resume", sarama.V0_10_2_0, commitResume},
	}
}

func withAdmin(r run, act func(sarama.ClusterAdmin) error) error {
	admin, err := sarama.NewClusterAdmin([]string{r.address}, config())
	if err != nil {
		return err
	}
	return errors.Join(act(admin), admin.Close())
}

// create takes pairs of names and values of settings.
func create(r run, what string, partitions int32, settings ...string) error {
	detail := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: map[string]*string{}}
	for n := 0; n < len(settings); n += 2 {
		detail.ConfigEntries[settings[n]] = &settings[n+1]
	}
	return withAdmin(r, func(admin sarama.ClusterAdmin) error { return admin.CreateTopic(r.name(what), detail, false) })
}

func partitionCount(r run) int {
	client, err := sarama.NewClient([]string{r.address}, config())
	if err != nil {
		return -1
	}
	defer client.Close()
	topics, err := client.Topics()
	if err != nil {
		return -1
	}
	for _, topic := range topics {
		if topic == r.name("t") {
			partitions, _ := client.Partitions(topic)
			return len(partitions)
		}
	}
	return 0
}

func createTopic(r run) error {
	if err := create(r, "t", 2, "retention.ms", "60000"); err != nil {
		return err
	}
	return errors.Join(
		equal(partitionCount(r), 2, "the number of partitions"),
		refused(create(r, "t", 2), "already exists"),
		refused(create(r, "bad", 1, "retention.ms", "soon"), "onfiguration is invalid"))
}

func deleteTopic(r run) error {
	if err := create(r, "t", 1); err != nil {
		return err
	}
	drop := func(admin sarama.ClusterAdmin) error { return admin.DeleteTopic(r.name("t")) }
	if err := withAdmin(r, drop); err != nil {
		return err
	}
	return errors.Join(
		until("the topic to go", 10*time.Second, func() bool { return partitionCount(r) == 0 }),
		refused(withAdmin(r, drop), "does not exist"))
}

func createPartitions(r run) error {
	if err := create(r, "t", 1); err != nil {
		return err
	}
	err := withAdmin(r, func(admin sarama.ClusterAdmin) error { return admin.CreatePartitions(r.name("t"), 3, nil, false) })
	return errors.Join(err, until("three partitions", 10*time.Second, func() bool { return partitionCount(r) == 3 }))
}

func settings(r run, admin sarama.ClusterAdmin) (map[string]string, error) {
	found, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: r.name("t")})
	all := map[string]string{}
	for _, entry := range found {
		all[entry.Name] = entry.Value
	}
	return all, err
}

func describeConfigs(r run) error {
	if err := create(r, "t", 1, "retention.ms", "60000"); err != nil {
		return err
	}
	return withAdmin(r, func(admin sarama.ClusterAdmin) error {
		found, err := settings(r, admin)
		return errors.Join(err, equal(found["retention.ms"]+" "+found["cleanup.policy"], "60000 delete", "the settings"))
	})
}

func alterConfigs(r run) error {
	if err := create(r, "t", 1, "retention.ms", "60000"); err != nil {
		return err
	}
	return withAdmin(r, func(admin sarama.ClusterAdmin) error {
		size := "1048576"
		if err := admin.AlterConfig(sarama.TopicResource, r.name("t"), map[string]*string{"segment.bytes": &size}, false); err != nil {
			return err
		}
		return until("both settings to be altered", 10*time.Second, func() bool {
			found, _ := settings(r, admin)
			return found["segment.bytes"] == size && found["retention.ms"] == "604800000"
		})
	})
}

func deleteRecords(r run) error {
	if err := errors.Join(create(r, "t", 1), produce(r, r.name("t"), numbers(10))); err != nil {
		return err
	}
	err := withAdmin(r, func(admin sarama.ClusterAdmin) error { return admin.DeleteRecords(r.name("t"), map[int32]int64{0: 6}) })
	if err != nil {
		return err
	}
	read, err := consume(r, r.name("t"), sarama.OffsetOldest, 4)
	return errors.Join(err, equal(texts(read), "[6 7 8 9]", "what remains"))
}

// member is a consumer of a group that notes what it holds and reads.
type member struct {
	lock  sync.Mutex
	held  []int32
	seen  map[string]bool
	limit int // marks so many messages and reads no more
	group sarama.ConsumerGroup
	stop  func()
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	for _, partitions := range session.Claims() {
		m.held = partitions
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.held = nil
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.lock.Lock()
		if m.limit == 0 || len(m.seen) < m.limit {
			m.seen[fmt.Sprint(message.Partition, " ", message.Offset)] = true
			session.MarkMessage(message, "")
		}
		m.lock.Unlock()
	}
	return nil
}

func (m *member) count() (held, seen int) {
	m.lock.Lock()
	defer m.lock.Unlock()
	return len(m.held), len(m.seen)
}

func join(r run, limit int, with ...func(*sarama.Config)) (*member, error) {
	c := config()
	for _, set := range with {
		set(c)
	}
	group, err := sarama.NewConsumerGroup([]string{r.address}, r.name("group"), c)
	if err != nil {
		return nil, err
	}
	m := &member{seen: map[string]bool{}, limit: limit, group: group}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{r.name("t")}, m); err != nil {
				time.Sleep(100 * time.Millisecond)
			}
		}
	}()
	m.stop = func() { cancel(); <-done; group.Close() }
	return m, nil
}

func settled(size int, members ...*member) func() bool {
	return func() bool {
		for _, m := range members {
			if held, _ := m.count(); held != size {
				return false
			}
		}
		return true
	}
}

func groupEager(r run) error {
	if err := create(r, "t", 4); err != nil {
		return err
	}
	first, err := join(r, 0)
	if err != nil {
		return err
	}
	defer first.stop()
	if err := until("the first to have all", 30*time.Second, settled(4, first)); err != nil {
		return err
	}
	second, err := join(r, 0)
	if err != nil {
		return err
	}
	err = until("both to have half", 30*time.Second, settled(2, first, second))
	var messages []*sarama.ProducerMessage
	for n := range 40 {
		messages = append(messages, &sarama.ProducerMessage{Topic: r.name("t"), Partition: int32(n % 4), Value: sarama.StringEncoder("v")})
	}
	err = errors.Join(err, publish(r, messages), until("all messages", 20*time.Second, func() bool {
		_, one := first.count()
		_, two := second.count()
		return one+two == 40
	}))
	second.stop()
	return errors.Join(err, until("the first to have all again", 30*time.Second, settled(4, first)))
}

func commitResume(r run) error {
	if err := errors.Join(create(r, "t", 1), produce(r, r.name("t"), numbers(4))); err != nil {
		return err
	}
	for _, expected := range []string{"map[0 0:true 0 1:true]", "map[0 2:true 0 3:true]"} {
		reader, err := join(r, 2)
		if err != nil {
			return err
		}
		err = until("two messages", 20*time.Second, func() bool { _, seen := reader.count(); return seen == 2 })
		reader.stop()
		if err := errors.Join(err, equal(reader.seen, expected, "what was read")); err != nil {
			return err
		}
	}
	return nil
}
