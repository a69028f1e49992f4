//go:build !v119

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

var (
	newestProtocol = sarama.MaxVersion
	v2_1           = sarama.V2_1_0_0
)

// What sarama learnt after 1.19.
func versionCases() []entry {
	return []entry{
		{"incremental-alter-configs", sarama.V2_3_0_0, incrementalAlterConfigs},
		{"idempotent", sarama.V0_11_0_0, func(r run) error { return roundTrip(r, r.name("t"), numbers(500), idempotence) }},
		{"compacted-without-key", sarama.V0_11_0_0, compactedWithoutKey},
		{"unknown-topic", sarama.V0_11_0_0, unknownTopic},
		{"group-static", sarama.V2_3_0_0, groupStatic},
		{"groups-list", sarama.V2_0_0_0, groupsList},
		{"groups-describe", sarama.V2_0_0_0, groupsDescribe},
		{"groups-delete", sarama.V2_0_0_0, groupsDelete},
		{"groups-alter-offsets", sarama.V2_0_0_0, groupsAlterOffsets},
		{"groups-delete-offsets", sarama.V2_4_0_0, groupsDeleteOffsets},
		{"txn-commit", sarama.V0_11_0_0, txnCommit},
		{"txn-abort", sarama.V0_11_0_0, txnAbort},
		{"txn-offsets", sarama.V0_11_0_0, txnOffsets},
		{"txn-fencing", sarama.V0_11_0_0, txnFencing},
		{"describe-cluster", sarama.V0_10_0_0, describeCluster},
		{"describe-log-dirs", sarama.V1_0_0_0, describeLogDirs},
	}
}

func idempotence(c *sarama.Config) {
	c.Producer.Idempotent = true
	c.Net.MaxOpenRequests = 1
}

func incrementalAlterConfigs(r run) error {
	if err := create(r, "t", 1, "retention.ms", "60000"); err != nil {
		return err
	}
	return withAdmin(r, func(admin sarama.ClusterAdmin) error {
		alter := func(name, value string, how sarama.IncrementalAlterConfigsOperation) error {
			return admin.IncrementalAlterConfig(sarama.TopicResource, r.name("t"),
				map[string]sarama.IncrementalAlterConfigsEntry{name: {Operation: how, Value: &value}}, false)
		}
		err := errors.Join(
			alter("segment.bytes", "1048576", sarama.IncrementalAlterConfigsOperationSet),
			alter("retention.ms", "", sarama.IncrementalAlterConfigsOperationDelete),
			refused(alter("retention.ms", "soon", sarama.IncrementalAlterConfigsOperationSet), "nvalid"))
		return errors.Join(err, until("both settings to be altered", 10*time.Second, func() bool {
			found, _ := settings(r, admin)
			return found["segment.bytes"] == "1048576" && found["retention.ms"] == "604800000"
		}))
	})
}

func compactedWithoutKey(r run) error {
	if err := create(r, "t", 1, "cleanup.policy", "compact"); err != nil {
		return err
	}
	return refused(produce(r, r.name("t"), numbers(1)), "nvalid record", "failed validation", "record", "87")
}

func unknownTopic(r run) error {
	return withAdmin(r, func(admin sarama.ClusterAdmin) error {
		_, err := settings(r, admin)
		return refused(err, "does not exist")
	})
}

func groupStatic(r run) error {
	if err := create(r, "t", 4); err != nil {
		return err
	}
	static := func(id string) func(*sarama.Config) {
		return func(c *sarama.Config) {
			c.Consumer.Group.InstanceId = id
			c.Consumer.Group.Session.Timeout = 20 * time.Second
		}
	}
	first, err := join(r, 0, static("first"))
	if err != nil {
		return err
	}
	defer first.stop()
	second, err := join(r, 0, static("second"))
	if err != nil {
		return err
	}
	err = until("both to have half", 30*time.Second, settled(2, first, second))
	held := fmt.Sprint(second.held)
	second.stop()
	again, failure := join(r, 0, static("second"))
	if err := errors.Join(err, failure); err != nil {
		return err
	}
	defer again.stop()
	err = until("its partitions to come back", 15*time.Second, settled(2, again))
	return errors.Join(err, equal(again.held, held, "its partitions"))
}

// used makes a group with the offset 3 in a topic, and no member.
func used(r run, act func(sarama.ClusterAdmin) error) error {
	if err := create(r, "t", 1); err != nil {
		return err
	}
	return withAdmin(r, func(admin sarama.ClusterAdmin) error { return errors.Join(setOffset(r, admin, "t", 3), act(admin)) })
}

func setOffset(r run, admin sarama.ClusterAdmin, what string, offset int64) error {
	answer, err := admin.AlterConsumerGroupOffsets(r.name("group"),
		map[string]map[int32]sarama.OffsetAndMetadata{r.name(what): {0: {Offset: offset, LeaderEpoch: -1}}}, nil)
	if err != nil {
		return err
	}
	for _, partitions := range answer.Errors {
		for _, failure := range partitions {
			if failure != sarama.ErrNoError {
				return failure
			}
		}
	}
	return nil
}

func offset(r run, admin sarama.ClusterAdmin) (int64, error) {
	found, err := admin.ListConsumerGroupOffsets(r.name("group"), map[string][]int32{r.name("t"): {0}})
	if err != nil {
		return 0, err
	}
	block := found.GetBlock(r.name("t"), 0)
	if block == nil {
		return -1, nil
	}
	return block.Offset, nil
}

func groupsList(r run) error {
	return used(r, func(admin sarama.ClusterAdmin) error {
		found, err := admin.ListConsumerGroups()
		_, listed := found[r.name("group")]
		return errors.Join(err, equal(listed, true, "whether it is listed"))
	})
}

func groupsDescribe(r run) error {
	if err := create(r, "t", 4); err != nil {
		return err
	}
	one, err := join(r, 0)
	if err != nil {
		return err
	}
	defer one.stop()
	if err := until("it to have all", 30*time.Second, settled(4, one)); err != nil {
		return err
	}
	return withAdmin(r, func(admin sarama.ClusterAdmin) error {
		found, err := admin.DescribeConsumerGroups([]string{r.name("group")})
		if err != nil {
			return err
		}
		text := found[0].State + " " + found[0].ProtocolType
		for _, m := range found[0].Members {
			assigned, err := m.GetMemberAssignment()
			if err != nil {
				return err
			}
			text += fmt.Sprint(" ", m.ClientId, " ", len(assigned.Topics[r.name("t")]))
		}
		return equal(text, "Stable consumer the-client 4", "the group")
	})
}

func groupsDelete(r run) error {
	return used(r, func(admin sarama.ClusterAdmin) error {
		return errors.Join(admin.DeleteConsumerGroup(r.name("group")), refused(admin.DeleteConsumerGroup(r.name("group")), "not", "exist"))
	})
}

func groupsAlterOffsets(r run) error {
	return used(r, func(admin sarama.ClusterAdmin) error {
		err := setOffset(r, admin, "t", 9)
		found, failure := offset(r, admin)
		return errors.Join(err, failure, equal(found, 9, "the offset"))
	})
}

func groupsDeleteOffsets(r run) error {
	return used(r, func(admin sarama.ClusterAdmin) error {
		err := errors.Join(create(r, "other", 1), setOffset(r, admin, "other", 1), admin.DeleteConsumerGroupOffset(r.name("group"), r.name("t"), 0))
		found, failure := offset(r, admin)
		return errors.Join(err, failure, equal(found, -1, "the offset"))
	})
}

func describeCluster(r run) error {
	return withAdmin(r, func(admin sarama.ClusterAdmin) error {
		brokers, controller, err := admin.DescribeCluster()
		if err != nil {
			return err
		}
		return equal(fmt.Sprint(len(brokers), brokers[0].Addr(), brokers[0].ID()), fmt.Sprint(1, r.address, controller), "the cluster")
	})
}

func describeLogDirs(r run) error {
	if err := produce(r, r.name("t"), numbers(10)); err != nil {
		return err
	}
	return withAdmin(r, func(admin sarama.ClusterAdmin) error {
		_, controller, err := admin.DescribeCluster()
		if err != nil {
			return err
		}
		found, err := admin.DescribeLogDirs([]int32{controller})
		if err != nil {
			return err
		}
		for _, topic := range found[controller][0].Topics {
			if topic.Topic == r.name("t") && topic.Partitions[0].Size > 0 {
				return nil
			}
		}
		return errors.New("the topic has no size")
	})
}
