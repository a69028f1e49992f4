package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func transactions() map[string]body {
	return map[string]body{
		"txn-commit":            txnCommit,
		"txn-abort":             txnAbort,
		"txn-offsets":           txnOffsets,
		"txn-fencing":           txnFencing,
		"describe-transactions": describeTransactions,
	}
}

var readCommitted = kgo.FetchIsolationLevel(kgo.ReadCommitted())

func transactional(r run) *kgo.Client {
	return r.client(kgo.TransactionalID(r.name("txn")), kgo.TransactionTimeout(20*time.Second))
}

func send(r run, client *kgo.Client, value string, topics ...string) error {
	err := client.BeginTransaction()
	for _, topic := range topics {
		record := &kgo.Record{Topic: r.name(topic), Value: []byte(value)}
		err = errors.Join(err, client.ProduceSync(r.ctx, record).FirstErr())
	}
	return err
}

func seen(r run, what, expected string, count int, options ...kgo.Opt) error {
	read, err := consume(r, what, count, options...)
	return errors.Join(err, equal(texts(read), expected, "what was read"))
}

func txnCommit(r run) error {
	client := transactional(r)
	defer client.Close()
	return errors.Join(create(r, "one", 1), create(r, "two", 1), send(r, client, "in", "one", "two"),
		seen(r, "one", "[]", 0, readCommitted), seen(r, "one", "[in]", 1), client.EndTransaction(r.ctx, kgo.TryCommit),
		seen(r, "one", "[in]", 1, readCommitted), seen(r, "two", "[in]", 1, readCommitted))
}

func txnAbort(r run) error {
	client := transactional(r)
	defer client.Close()
	return errors.Join(create(r, "t", 1), send(r, client, "aborted", "t"), client.EndTransaction(r.ctx, kgo.TryAbort),
		send(r, client, "committed", "t"), client.EndTransaction(r.ctx, kgo.TryCommit),
		seen(r, "t", "[committed]", 1, readCommitted), seen(r, "t", "[aborted committed]", 2))
}

// A session consumes from one topic and produces to another; its offsets are part of the transaction.
func txnOffsets(r run) error {
	if err := errors.Join(create(r, "t", 1), create(r, "out", 1), produce(r, numbers(4))); err != nil {
		return err
	}
	for n, expected := range []string{"0", "0", "2"} {
		session, err := kgo.NewGroupTransactSession(kgo.SeedBrokers(r.address), kgo.TransactionalID(r.name("txn")), kgo.ConsumerGroup(r.name("group")),
			kgo.ConsumeTopics(r.name("t")), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), readCommitted, kgo.RequireStableFetchOffsets())
		if err != nil {
			return err
		}
		read := session.PollRecords(r.ctx, 2).Records()
		if len(read) != 2 {
			return fmt.Errorf("read %d records", len(read))
		}
		err = errors.Join(equal(string(read[0].Value), expected, "the first that was read"), session.Begin(),
			session.ProduceSync(r.ctx, &kgo.Record{Topic: r.name("out"), Value: []byte("out")}).FirstErr())
		// the first is aborted: the second reads the same
		end := kgo.TransactionEndTry(n > 0)
		done, failure := session.End(r.ctx, end)
		session.Close()
		if err := errors.Join(err, failure, equal(done, bool(end), "whether it was committed")); err != nil {
			return err
		}
	}
	return seen(r, "out", "[out out]", 2, readCommitted)
}

func txnFencing(r run) error {
	zombie, heir := transactional(r), transactional(r)
	defer zombie.Close()
	defer heir.Close()
	err := errors.Join(create(r, "t", 1), send(r, zombie, "zombie", "t"), send(r, heir, "heir", "t"))
	fenced := zombie.EndTransaction(r.ctx, kgo.TryCommit)
	if !errors.Is(fenced, kerr.InvalidProducerEpoch) && !errors.Is(fenced, kerr.ProducerFenced) {
		err = errors.Join(err, fmt.Errorf("the zombie is refused with %v", fenced))
	}
	return errors.Join(err, heir.EndTransaction(r.ctx, kgo.TryCommit), seen(r, "t", "[heir]", 1, readCommitted))
}

func describeTransactions(r run) error {
	client := transactional(r)
	defer client.Close()
	err := errors.Join(create(r, "t", 1), send(r, client, "open", "t"))
	return errors.Join(err, r.admin(func(admin *kadm.Client) error {
		found, err := admin.DescribeTransactions(r.ctx, r.name("txn"))
		if err != nil {
			return err
		}
		listed, err := admin.ListTransactions(r.ctx, nil, []string{"Ongoing"})
		if err != nil {
			return err
		}
		one := found[r.name("txn")]
		return errors.Join(one.Err, equal(fmt.Sprint(one.State, one.Topics.Sorted(), listed[r.name("txn")].State),
			fmt.Sprint("Ongoing", kadm.TopicsList{{Topic: r.name("t"), Partitions: []int32{0}}}, "Ongoing"), "the transaction"))
	}), client.EndTransaction(r.ctx, kgo.TryCommit))
}
