//go:build !v119

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

func committed(c *sarama.Config) { c.Consumer.IsolationLevel = sarama.ReadCommitted }

func transactional(r run) (sarama.SyncProducer, error) {
	c := config()
	idempotence(c)
	c.Producer.Transaction.ID = r.name("txn")
	c.Producer.Transaction.Timeout = 20 * time.Second
	return sarama.NewSyncProducer([]string{r.address}, c)
}

func begin(producer sarama.SyncProducer, value string, topics ...string) error {
	if err := producer.BeginTxn(); err != nil {
		return err
	}
	for _, topic := range topics {
		if _, _, err := producer.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)}); err != nil {
			return err
		}
	}
	return nil
}

// seen reads so many messages, by default also those that are not committed.
func seen(r run, what, expected string, count int, with ...func(*sarama.Config)) error {
	read, err := consume(r, r.name(what), sarama.OffsetOldest, count, with...)
	return errors.Join(err, equal(texts(read), expected, "what was read"))
}

func txnCommit(r run) error {
	producer, err := transactional(r)
	if err != nil {
		return err
	}
	defer producer.Close()
	err = errors.Join(create(r, "one", 1), create(r, "two", 1), begin(producer, "in", r.name("one"), r.name("two")),
		seen(r, "one", "[]", 0, committed), seen(r, "one", "[in]", 1))
	return errors.Join(err, producer.CommitTxn(), seen(r, "one", "[in]", 1, committed), seen(r, "two", "[in]", 1, committed))
}

func txnAbort(r run) error {
	producer, err := transactional(r)
	if err != nil {
		return err
	}
	defer producer.Close()
	err = errors.Join(create(r, "t", 1), begin(producer, "aborted", r.name("t")), producer.AbortTxn(),
		begin(producer, "committed", r.name("t")), producer.CommitTxn())
	return errors.Join(err, seen(r, "t", "[committed]", 1, committed), seen(r, "t", "[aborted committed]", 2))
}

func txnOffsets(r run) error {
	producer, err := transactional(r)
	if err != nil {
		return err
	}
	defer producer.Close()
	if err := create(r, "t", 1); err != nil {
		return err
	}
	return withAdmin(r, func(admin sarama.ClusterAdmin) error {
		for _, at := range []int64{4, 8} {
			sent := map[string][]*sarama.PartitionOffsetMetadata{r.name("t"): {{Partition: 0, Offset: at, LeaderEpoch: -1}}}
			err := errors.Join(producer.BeginTxn(), producer.AddOffsetsToTxn(sent, r.name("group")))
			if at == 4 {
				err = errors.Join(err, producer.CommitTxn())
			} else {
				err = errors.Join(err, producer.AbortTxn())
			}
			found, failure := offset(r, admin)
			if err := errors.Join(err, failure, equal(found, 4, fmt.Sprintf("the offset after %d", at))); err != nil {
				return err
			}
		}
		return nil
	})
}

func txnFencing(r run) error {
	zombie, err := transactional(r)
	if err != nil {
		return err
	}
	defer zombie.Close()
	if err := errors.Join(create(r, "t", 1), begin(zombie, "zombie", r.name("t"))); err != nil {
		return err
	}
	heir, err := transactional(r)
	if err != nil {
		return err
	}
	defer heir.Close()
	return errors.Join(
		refused(zombie.CommitTxn(), "epoch", "fenced", "code = 90"),
		begin(heir, "heir", r.name("t")), heir.CommitTxn(), seen(r, "t", "[heir]", 1, committed))
}
