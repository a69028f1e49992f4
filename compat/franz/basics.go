package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// An hour ago: what is older than a week is deleted by retention.
var startMs = time.Now().UnixMilli() - 3_600_000

func basics() map[string]body {
	all := map[string]body{
		"record-fields": recordFields,
		"tombstones":    tombstones,
		"idempotent":    func(r run) error { return roundTrip(r, numbers(500), kgo.ProducerBatchMaxBytes(1 << 10)) },
		"big-message":   func(r run) error { return roundTrip(r, []string{strings.Repeat("0123456789", 90_000)}) },
		"too-large":     tooLarge,
		"compacted-without-key": func(r run) error {
			return errors.Join(create(r, "t", 1, "cleanup.policy", "compact"), refused(produce(r, numbers(1)), kerr.InvalidRecord))
		},
		"seek":         seek,
		"offset-reset": offsetReset,
	}
	for name, codec := range map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()} {
		all["codec-"+name] = func(r run) error { return roundTrip(r, values(), kgo.ProducerBatchCompression(codec)) }
	}
	for name, acks := range map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()} {
		all["acks-"+name] = func(r run) error {
			return roundTrip(r, numbers(50), kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite())
		}
	}
	return all
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

// create takes pairs of names and values of settings.
func create(r run, what string, partitions int32, settings ...string) error {
	configs := map[string]*string{}
	for n := 0; n < len(settings); n += 2 {
		configs[settings[n]] = &settings[n+1]
	}
	return r.admin(func(admin *kadm.Client) error {
		_, err := admin.CreateTopic(r.ctx, partitions, 1, configs, r.name(what))
		return err
	})
}

func publish(r run, records []*kgo.Record, options ...kgo.Opt) error {
	client := r.client(options...)
	defer client.Close()
	return client.ProduceSync(r.ctx, records...).FirstErr()
}

func produce(r run, values []string, options ...kgo.Opt) error {
	var records []*kgo.Record
	for _, value := range values {
		records = append(records, &kgo.Record{Topic: r.name("t"), Value: []byte(value)})
	}
	return publish(r, records, options...)
}

func from(r run, what string, at kgo.Offset) kgo.Opt {
	return kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{r.name(what): {0: at}})
}

// take reads so many records, and sees that no more come.
func take(r run, client *kgo.Client, count int) ([]*kgo.Record, error) {
	var read []*kgo.Record
	for len(read) < count {
		fetches := client.PollFetches(r.ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			return read, fmt.Errorf("read %d of %d: %w", len(read), count, errs[0].Err)
		}
		read = append(read, fetches.Records()...)
	}
	patience := 300 * time.Millisecond
	if count == 0 {
		patience = 1500 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	read = append(read, client.PollFetches(ctx).Records()...)
	return read, equal(len(read), count, "the number of records")
}

func consume(r run, what string, count int, options ...kgo.Opt) ([]*kgo.Record, error) {
	client := r.client(append([]kgo.Opt{from(r, what, kgo.NewOffset().AtStart())}, options...)...)
	defer client.Close()
	return take(r, client, count)
}

func texts(records []*kgo.Record) (made []string) {
	for _, record := range records {
		made = append(made, string(record.Value))
	}
	return made
}

func roundTrip(r run, values []string, options ...kgo.Opt) error {
	if err := errors.Join(create(r, "t", 1), produce(r, values, options...)); err != nil {
		return err
	}
	read, err := consume(r, "t", len(values))
	return errors.Join(err, equal(texts(read), values, "what was read"))
}

func recordFields(r run) error {
	headers := []kgo.RecordHeader{{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte("2")}, {Key: "none"}, {Key: "empty", Value: []byte{}}}
	sent := &kgo.Record{Topic: r.name("t"), Key: []byte("k"), Value: []byte("v"), Headers: headers, Timestamp: time.UnixMilli(startMs)}
	if err := errors.Join(create(r, "t", 1), publish(r, []*kgo.Record{sent})); err != nil {
		return err
	}
	read, err := consume(r, "t", 1)
	if err != nil {
		return err
	}
	found := read[0]
	for n, header := range found.Headers {
		if header.Key != headers[n].Key || !bytes.Equal(header.Value, headers[n].Value) || (header.Value == nil) != (headers[n].Value == nil) {
			return fmt.Errorf("header %d is %v", n, header)
		}
	}
	return equal(fmt.Sprintf("%s %s %d %d", found.Key, found.Value, found.Timestamp.UnixMilli(), len(found.Headers)),
		fmt.Sprintf("k v %d %d", startMs, len(headers)), "the record")
}

func tombstones(r run) error {
	records := []*kgo.Record{{Topic: r.name("t"), Key: []byte("k")}, {Topic: r.name("t"), Key: []byte("k"), Value: []byte{}}}
	if err := errors.Join(create(r, "t", 1, "cleanup.policy", "compact"), publish(r, records)); err != nil {
		return err
	}
	read, err := consume(r, "t", 2)
	if err != nil {
		return err
	}
	return equal([]bool{read[0].Value == nil, read[1].Value == nil}, "[true false]", "whether there is no value")
}

func tooLarge(r run) error {
	err := create(r, "t", 1, "max.message.bytes", "10000")
	err = errors.Join(err, refused(produce(r, []string{strings.Repeat("x", 20_000)}, kgo.ProducerBatchCompression(kgo.NoCompression())), kerr.MessageTooLarge))
	err = errors.Join(err, produce(r, []string{"small"}))
	read, failure := consume(r, "t", 1)
	return errors.Join(err, failure, equal(texts(read), "[small]", "what was read"))
}

func seek(r run) error {
	if err := errors.Join(create(r, "t", 1), produce(r, numbers(10))); err != nil {
		return err
	}
	client := r.client(from(r, "t", kgo.NewOffset().At(8)))
	defer client.Close()
	if read, err := take(r, client, 2); err != nil || read[0].Offset != 8 {
		return fmt.Errorf("from 8 on: %v, %w", texts(read), err)
	}
	for _, at := range []int64{4, 0, 9} {
		client.SetOffsets(map[string]map[int32]kgo.EpochOffset{r.name("t"): {0: {Epoch: -1, Offset: at}}})
		read, err := take(r, client, 10-int(at))
		if err != nil {
			return err
		}
		if err := equal(read[0].Offset, at, "the offset after a seek"); err != nil {
			return err
		}
	}
	return nil
}

func offsetReset(r run) error {
	if err := errors.Join(create(r, "t", 1), produce(r, []string{"old"})); err != nil {
		return err
	}
	old, err := consume(r, "t", 1)
	if err := errors.Join(err, equal(texts(old), "[old]", "the earliest")); err != nil {
		return err
	}
	latest := r.client(from(r, "t", kgo.NewOffset().AtEnd()))
	defer latest.Close()
	if _, err := take(r, latest, 0); err != nil {
		return err
	}
	if err := produce(r, []string{"new"}); err != nil {
		return err
	}
	read, err := take(r, latest, 1)
	if err := errors.Join(err, equal(texts(read), "[new]", "the latest")); err != nil {
		return err
	}
	none := r.client(from(r, "t", kgo.NewOffset().At(99)), kgo.ConsumeResetOffset(kgo.NoResetOffset()))
	defer none.Close()
	_, err = take(r, none, 1)
	return refused(err, kerr.OffsetOutOfRange)
}
