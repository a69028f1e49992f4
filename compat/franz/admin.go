package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func administration() map[string]body {
	return map[string]body{
		"metadata":                  metadata,
		"create-topic":              createTopic,
		"delete-topic":              deleteTopic,
		"create-partitions":         createPartitions,
		"describe-configs":          describeConfigs,
		"alter-configs":             alterConfigs,
		"incremental-alter-configs": incrementalAlterConfigs,
		"unknown-topic":             unknownTopic,
		"delete-records":            deleteRecords,
		"offsets-for-times":         offsetsForTimes,
		"list-offsets":              listOffsets,
		"offset-for-leader-epoch":   offsetForLeaderEpoch,
		"describe-cluster":          describeCluster,
		"describe-log-dirs":         describeLogDirs,
		"describe-producers":        describeProducers,
	}
}

func partitionCount(r run) (count int) {
	_ = r.admin(func(admin *kadm.Client) error {
		topics, err := admin.ListTopics(r.ctx)
		count = len(topics[r.name("t")].Partitions)
		return err
	})
	return count
}

func metadata(r run) error {
	if err := create(r, "t", 3); err != nil {
		return err
	}
	return r.admin(func(admin *kadm.Client) error {
		found, err := admin.Metadata(r.ctx, r.name("t"))
		if err != nil {
			return err
		}
		topic := found.Topics[r.name("t")]
		text := fmt.Sprintf("%v%s:%d", topic.Partitions.Numbers(), found.Brokers[0].Host, found.Brokers[0].Port)
		for _, partition := range topic.Partitions {
			err = errors.Join(err, equal(partition.Leader, found.Brokers[0].NodeID, "the leader"))
		}
		return errors.Join(err, equal(text, fmt.Sprint("[0 1 2]", r.address), "the topic"))
	})
}

func createTopic(r run) error {
	return errors.Join(
		create(r, "t", 2, "retention.ms", "60000"),
		equal(partitionCount(r), 2, "the number of partitions"),
		refused(create(r, "t", 2), kerr.TopicAlreadyExists),
		refused(create(r, "bad", 1, "retention.ms", "soon"), kerr.InvalidConfig),
		refused(create(r, "b/d", 1), kerr.InvalidTopicException),
		refused(create(r, "none", 0), kerr.InvalidPartitions))
}

func deleteTopic(r run) error {
	drop := func(admin *kadm.Client) error {
		_, err := admin.DeleteTopic(r.ctx, r.name("t"))
		return err
	}
	return errors.Join(create(r, "t", 1), r.admin(drop),
		until("the topic to go", 10*time.Second, func() bool { return partitionCount(r) == 0 }),
		refused(r.admin(drop), kerr.UnknownTopicOrPartition))
}

func createPartitions(r run) error {
	update := func(admin *kadm.Client) error {
		found, err := admin.UpdatePartitions(r.ctx, 3, r.name("t"))
		return errors.Join(err, found.Error())
	}
	return errors.Join(create(r, "t", 1), r.admin(update),
		until("three partitions", 10*time.Second, func() bool { return partitionCount(r) == 3 }),
		refused(r.admin(update), kerr.InvalidPartitions))
}

func settings(r run, admin *kadm.Client) (map[string]string, error) {
	found, err := admin.DescribeTopicConfigs(r.ctx, r.name("t"))
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, config := range found[0].Configs {
		all[config.Key] = config.MaybeValue()
	}
	return all, found[0].Err
}

func described(r run, admin *kadm.Client, expected ...string) error {
	return until(fmt.Sprint(expected), 10*time.Second, func() bool {
		found, err := settings(r, admin)
		return err == nil && found["retention.ms"] == expected[0] && found["segment.bytes"] == expected[1]
	})
}

func describeConfigs(r run) error {
	return errors.Join(create(r, "t", 1, "retention.ms", "60000", "segment.bytes", "1048576"), r.admin(func(admin *kadm.Client) error {
		return described(r, admin, "60000", "1048576")
	}))
}

func alter(name, value string, how kadm.IncrementalOp) []kadm.AlterConfig {
	return []kadm.AlterConfig{{Op: how, Name: name, Value: &value}}
}

func alterConfigs(r run) error {
	return errors.Join(create(r, "t", 1, "retention.ms", "60000"), r.admin(func(admin *kadm.Client) error {
		found, err := admin.AlterTopicConfigsState(r.ctx, alter("segment.bytes", "1048576", kadm.SetConfig), r.name("t"))
		if err == nil {
			err = found[0].Err
		}
		return errors.Join(err, described(r, admin, "604800000", "1048576"))
	}))
}

func incrementalAlterConfigs(r run) error {
	return errors.Join(create(r, "t", 1, "retention.ms", "60000"), r.admin(func(admin *kadm.Client) error {
		change := func(configs []kadm.AlterConfig) error {
			found, err := admin.AlterTopicConfigs(r.ctx, configs, r.name("t"))
			if err == nil {
				err = found[0].Err
			}
			return err
		}
		return errors.Join(
			change(alter("segment.bytes", "1048576", kadm.SetConfig)), described(r, admin, "60000", "1048576"),
			change(alter("retention.ms", "", kadm.DeleteConfig)), described(r, admin, "604800000", "1048576"),
			refused(change(alter("retention.ms", "soon", kadm.SetConfig)), kerr.InvalidConfig))
	}))
}

func unknownTopic(r run) error {
	_, err := consume(r, "t", 1, kgo.KeepRetryableFetchErrors())
	return errors.Join(refused(err, kerr.UnknownTopicOrPartition), refused(produce(r, numbers(1)), kerr.UnknownTopicOrPartition),
		r.admin(func(admin *kadm.Client) error {
			_, err := settings(r, admin)
			return refused(err, kerr.UnknownTopicOrPartition)
		}))
}

func deleteRecords(r run) error {
	if err := errors.Join(create(r, "t", 1), produce(r, numbers(10))); err != nil {
		return err
	}
	before := func(offset int64) error {
		return r.admin(func(admin *kadm.Client) error {
			offsets := kadm.Offsets{}
			offsets.Add(kadm.Offset{Topic: r.name("t"), Partition: 0, At: offset})
			found, err := admin.DeleteRecords(r.ctx, offsets)
			if err != nil {
				return err
			}
			deleted, _ := found.Lookup(r.name("t"), 0)
			if deleted.Err != nil {
				return deleted.Err
			}
			return equal(deleted.LowWatermark, 6, "the low watermark")
		})
	}
	err := before(6)
	read, failure := consume(r, "t", 4)
	return errors.Join(err, failure, equal(texts(read), "[6 7 8 9]", "what remains"), refused(before(11), kerr.OffsetOutOfRange))
}

func timed(r run, at ...int64) error {
	var records []*kgo.Record
	for _, ms := range at {
		records = append(records, &kgo.Record{Topic: r.name("t"), Value: []byte("v"), Timestamp: time.UnixMilli(startMs + ms)})
	}
	return errors.Join(create(r, "t", 1), publish(r, records))
}

func offsetsForTimes(r run) error {
	err := timed(r, 0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000)
	return errors.Join(err, r.admin(func(admin *kadm.Client) error {
		var all []int64
		for _, ms := range []int64{0, 4001, 9000, 9001} {
			found, err := admin.ListOffsetsAfterMilli(r.ctx, startMs+ms, r.name("t"))
			if err != nil {
				return err
			}
			offset, _ := found.Lookup(r.name("t"), 0)
			all = append(all, offset.Offset)
		}
		return equal(all, "[0 5 9 10]", "the offsets, the end when there is none")
	}))
}

func listOffsets(r run) error {
	return errors.Join(timed(r, 1, 9, 5), r.admin(func(admin *kadm.Client) error {
		var all []int64
		for _, list := range []func() (kadm.ListedOffsets, error){
			func() (kadm.ListedOffsets, error) { return admin.ListStartOffsets(r.ctx, r.name("t")) },
			func() (kadm.ListedOffsets, error) { return admin.ListEndOffsets(r.ctx, r.name("t")) },
			func() (kadm.ListedOffsets, error) { return admin.ListCommittedOffsets(r.ctx, r.name("t")) },
			func() (kadm.ListedOffsets, error) { return admin.ListMaxTimestampOffsets(r.ctx, r.name("t")) },
		} {
			found, err := list()
			if err != nil {
				return err
			}
			offset, _ := found.Lookup(r.name("t"), 0)
			if offset.Err != nil {
				return offset.Err
			}
			all = append(all, offset.Offset)
		}
		return equal(all, "[0 3 3 1]", "the offsets")
	}))
}

func offsetForLeaderEpoch(r run) error {
	return errors.Join(timed(r, 1, 2, 3), r.admin(func(admin *kadm.Client) error {
		request := kadm.OffsetForLeaderEpochRequest{}
		request.Add(r.name("t"), 0, 0)
		found, err := admin.OffsetForLeaderEpoch(r.ctx, request)
		if err != nil {
			return err
		}
		end := found[r.name("t")][0]
		return errors.Join(end.Err, equal([]int64{int64(end.LeaderEpoch), end.EndOffset}, "[0 3]", "the epoch and its end"))
	}))
}

func describeCluster(r run) error {
	return r.admin(func(admin *kadm.Client) error {
		found, err := admin.BrokerMetadata(r.ctx)
		if err != nil {
			return err
		}
		return errors.Join(equal(found.Controller, found.Brokers[0].NodeID, "the controller"), equal(found.Cluster != "", true, "whether it has an id"))
	})
}

func describeLogDirs(r run) error {
	return errors.Join(timed(r, 1, 2, 3), r.admin(func(admin *kadm.Client) error {
		topics := kadm.TopicsSet{}
		topics.Add(r.name("t"), 0)
		found, err := admin.DescribeAllLogDirs(r.ctx, topics)
		if err != nil {
			return err
		}
		size := int64(0)
		found.Each(func(dir kadm.DescribedLogDir) { err = errors.Join(err, dir.Err); size += dir.Topics.Size() })
		return errors.Join(err, equal(size > 0, true, "whether the topic has a size"))
	}))
}

func describeProducers(r run) error {
	return errors.Join(timed(r, 1, 2, 3), r.admin(func(admin *kadm.Client) error {
		topics := kadm.TopicsSet{}
		topics.Add(r.name("t"), 0)
		found, err := admin.DescribeProducers(r.ctx, topics)
		if err != nil {
			return err
		}
		partition := found[r.name("t")].Partitions[0]
		if partition.Err != nil {
			return partition.Err
		}
		var sequences []int32
		partition.ActiveProducers.Each(func(producer kadm.DescribedProducer) { sequences = append(sequences, producer.LastSequence) })
		return equal(sequences, "[2]", "the last sequences")
	}))
}
