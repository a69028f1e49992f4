package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

// An hour ago: what is older than a week is deleted by retention.
var startMs = time.Now().UnixMilli() - 3_600_000

func basics() []entry {
	var all []entry
	for name, codec := range map[string]sarama.CompressionCodec{"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
		"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionCodec(4)} {
		since := map[string]sarama.KafkaVersion{"lz4": sarama.V0_10_0_0, "zstd": v2_1}[name]
		if since == (sarama.KafkaVersion{}) {
			since = sarama.MinVersion
		}
		all = append(all, entry{"codec-" + name, since, func(r run) error {
			return roundTrip(r, r.name("t"), values(), func(c *sarama.Config) { c.Producer.Compression = codec })
		}})
	}
	for name, acks := range map[string]sarama.RequiredAcks{"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll} {
		all = append(all, entry{"acks-" + name, sarama.MinVersion, func(r run) error {
			return roundTrip(r, r.name("t"), numbers(50), func(c *sarama.Config) { c.Producer.RequiredAcks = acks })
		}})
	}
	return append(all,
		entry{"metadata", sarama.MinVersion, metadata},
		entry{"record-fields", sarama.MinVersion, recordFields},
		entry{"tombstones", sarama.MinVersion, tombstones},
		entry{"big-message", sarama.MinVersion, func(r run) error {
			return roundTrip(r, r.name("t"), []string{strings.Repeat("0123456789", 90_000)})
		}},
		entry{"too-large", sarama.MinVersion, tooLarge},
		entry{"list-offsets", sarama.MinVersion, listOffsets},
		entry{"offsets-for-times", sarama.V0_10_1_0, offsetsForTimes},
		entry{"seek", sarama.MinVersion, seek},
		entry{"offset-reset", sarama.MinVersion, offsetReset},
		entry{"manual-commit", sarama.MinVersion, manualCommit},
	)
}

func numbers(count int) (made []string) {
	for n := range count {
		made = append(made, fmt.Sprint(n))
	}
	return made
}

func values() (made []string) {
	for n := range 200 {
		made = append(made, fmt.Sprint(n, strings.Repeat("abcdefgh", n*n%97)))
	}
	return made
}

// publish sends messages and waits for all; it returns the first refusal.
func publish(r run, messages []*sarama.ProducerMessage, with ...func(*sarama.Config)) error {
	c := config()
	for _, set := range with {
		set(c)
	}
	producer, err := sarama.NewSyncProducer([]string{r.address}, c)
	if err != nil {
		return err
	}
	defer producer.Close()
	return producer.SendMessages(messages)
}

func produce(r run, topic string, values []string, with ...func(*sarama.Config)) error {
	var messages []*sarama.ProducerMessage
	for _, value := range values {
		messages = append(messages, &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
	}
	err := publish(r, messages, with...)
	var several sarama.ProducerErrors
	if errors.As(err, &several) {
		return several[0].Err
	}
	return err
}

func consume(r run, topic string, from int64, count int, with ...func(*sarama.Config)) ([]*sarama.ConsumerMessage, error) {
	c := config()
	for _, set := range with {
		set(c)
	}
	consumer, err := sarama.NewConsumer([]string{r.address}, c)
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	reader, err := consumer.ConsumePartition(topic, 0, from)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	var read []*sarama.ConsumerMessage
	patience := 20 * time.Second
	for {
		if len(read) >= count {
			patience = 300 * time.Millisecond
			if count == 0 {
				patience = 1500 * time.Millisecond
			}
		}
		select {
		case message := <-reader.Messages():
			read = append(read, message)
		case <-time.After(patience):
			return read, equal(len(read), count, "the number of messages")
		}
	}
}

func texts(messages []*sarama.ConsumerMessage) (made []string) {
	for _, message := range messages {
		made = append(made, string(message.Value))
	}
	return made
}

func roundTrip(r run, topic string, values []string, with ...func(*sarama.Config)) error {
	if err := produce(r, topic, values, with...); err != nil {
		return err
	}
	read, err := consume(r, topic, sarama.OffsetOldest, len(values))
	return errors.Join(err, equal(texts(read), values, "what was read"))
}

func metadata(r run) error {
	client, err := sarama.NewClient([]string{r.address}, config())
	if err != nil {
		return err
	}
	defer client.Close()
	if err := produce(r, r.name("t"), numbers(1)); err != nil {
		return err
	}
	partitions, err := client.Partitions(r.name("t"))
	if err != nil {
		return err
	}
	leader, err := client.Leader(r.name("t"), partitions[0])
	if err != nil {
		return err
	}
	return equal(leader.Addr(), r.address, "the leader")
}

func recordFields(r run) error {
	message := &sarama.ProducerMessage{Topic: r.name("t"), Key: sarama.StringEncoder("k"), Value: sarama.StringEncoder("v")}
	c := config()
	if c.Version.IsAtLeast(sarama.V0_10_0_0) {
		message.Timestamp = time.UnixMilli(startMs)
	}
	if c.Version.IsAtLeast(sarama.V0_11_0_0) {
		message.Headers = []sarama.RecordHeader{{Key: []byte("a"), Value: []byte("1")}, {Key: []byte("a"), Value: []byte("2")}}
	}
	if err := publish(r, []*sarama.ProducerMessage{message}); err != nil {
		return err
	}
	read, err := consume(r, r.name("t"), sarama.OffsetOldest, 1)
	if err != nil {
		return err
	}
	if !message.Timestamp.IsZero() && !read[0].Timestamp.Equal(message.Timestamp) {
		return fmt.Errorf("the timestamp is %v", read[0].Timestamp)
	}
	found := fmt.Sprintf("%s %s", read[0].Key, read[0].Value)
	for n := range message.Headers {
		found += fmt.Sprintf(" %s=%s", read[0].Headers[n].Key, read[0].Headers[n].Value)
	}
	return equal(found, map[bool]string{true: "k v a=1 a=2", false: "k v"}[len(message.Headers) > 0], "the record")
}

func tombstones(r run) error {
	message := &sarama.ProducerMessage{Topic: r.name("t"), Key: sarama.StringEncoder("k")}
	if err := publish(r, []*sarama.ProducerMessage{message}); err != nil {
		return err
	}
	read, err := consume(r, r.name("t"), sarama.OffsetOldest, 1)
	if err != nil {
		return err
	}
	return equal(read[0].Value == nil, true, "whether there is no value")
}

// The limit is the broker's; the producer's own is lifted.
func tooLarge(r run) error {
	err := produce(r, r.name("t"), []string{strings.Repeat("x", 1_500_000)}, func(c *sarama.Config) { c.Producer.MaxMessageBytes = 5_000_000 })
	if err := refused(err, "too large", "larger than"); err != nil {
		return err
	}
	return roundTrip(r, r.name("t"), numbers(1))
}

func listOffsets(r run) error {
	if err := produce(r, r.name("t"), numbers(3)); err != nil {
		return err
	}
	return offsetsAt(r, []int64{sarama.OffsetOldest, sarama.OffsetNewest}, "[0 3]")
}

func offsetsAt(r run, times []int64, expected string) error {
	client, err := sarama.NewClient([]string{r.address}, config())
	if err != nil {
		return err
	}
	defer client.Close()
	var found []int64
	for _, at := range times {
		offset, err := client.GetOffset(r.name("t"), 0, at)
		if err != nil {
			return err
		}
		found = append(found, offset)
	}
	return equal(found, expected, "the offsets")
}

func offsetsForTimes(r run) error {
	var messages []*sarama.ProducerMessage
	for n := range 10 {
		at := time.UnixMilli(startMs + int64(n)*1000)
		messages = append(messages, &sarama.ProducerMessage{Topic: r.name("t"), Value: sarama.StringEncoder("v"), Timestamp: at})
	}
	if err := publish(r, messages); err != nil {
		return err
	}
	return offsetsAt(r, []int64{startMs, startMs + 4001, startMs + 9000, startMs + 9001}, "[0 5 9 -1]")
}

func seek(r run) error {
	if err := produce(r, r.name("t"), numbers(10)); err != nil {
		return err
	}
	for _, from := range []int64{4, 0, 9} {
		read, err := consume(r, r.name("t"), from, 10-int(from))
		if err != nil {
			return err
		}
		if read[0].Offset != from {
			return fmt.Errorf("the first offset is %d, not %d", read[0].Offset, from)
		}
	}
	_, err := consume(r, r.name("t"), 99, 1)
	return refused(err, "outside the range")
}

func offsetReset(r run) error {
	if err := produce(r, r.name("t"), []string{"old"}); err != nil {
		return err
	}
	type answer struct {
		read []*sarama.ConsumerMessage
		err  error
	}
	newest := make(chan answer)
	go func() {
		read, err := consume(r, r.name("t"), sarama.OffsetNewest, 1)
		newest <- answer{read, err}
	}()
	time.Sleep(2 * time.Second)
	if err := produce(r, r.name("t"), []string{"new"}); err != nil {
		return err
	}
	got := <-newest
	return errors.Join(got.err, equal(texts(got.read), "[new]", "what is read from the newest on"))
}

// Of the offset manager, which with the default configuration speaks version 1 of OffsetCommit.
func manualCommit(r run) error {
	if err := produce(r, r.name("t"), numbers(1)); err != nil {
		return err
	}
	for _, expected := range []string{"-2 ", "7 by hand"} {
		client, err := sarama.NewClient([]string{r.address}, config())
		if err != nil {
			return err
		}
		manager, err := sarama.NewOffsetManagerFromClient(r.name("group"), client)
		if err != nil {
			return err
		}
		partition, err := manager.ManagePartition(r.name("t"), 0)
		if err != nil {
			return err
		}
		offset, text := partition.NextOffset()
		partition.MarkOffset(7, "by hand")
		if err := errors.Join(partition.Close(), manager.Close(), client.Close(), equal(fmt.Sprintf("%d %s", offset, text), expected, "the offset")); err != nil {
			return err
		}
	}
	return nil
}
