import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;

/** What came later, up to 3.9: zstd, cooperative, static and broker-assigned groups, most of the admin client. */
final class Since3 {
    static void cases() {
        Main.CASES.put("codec-zstd", run -> Basics.codec(run, "zstd"));
        Main.CASES.put("incremental-alter-configs", Since3::incrementalAlterConfigs);
        Main.CASES.put("list-offsets", Since3::listOffsets);
        Main.CASES.put("offset-for-leader-epoch", Since3::offsetForLeaderEpoch);
        Main.CASES.put("group-cooperative", run -> Groups.twoMembers(run, Collections.singletonList(Since1.create(run, "t", 4)), 4, 2,
            "partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"));
        Main.CASES.put("group-consumer-protocol", run -> Groups.twoMembers(run, Collections.singletonList(Since1.create(run, "t", 4)), 4, 2,
            "group.protocol", "consumer"));
        Main.CASES.put("group-static", Since3::groupStatic);
        Main.CASES.put("groups-list", Since3::groupsList);
        Main.CASES.put("groups-describe", Since3::groupsDescribe);
        Main.CASES.put("groups-delete", Since3::groupsDelete);
        Main.CASES.put("groups-alter-offsets", Since3::groupsAlterOffsets);
        Main.CASES.put("groups-delete-offsets", Since3::groupsDeleteOffsets);
        Main.CASES.put("txn-offsets", Since3::txnOffsets);
        Main.CASES.put("describe-log-dirs", Since3::describeLogDirs);
        Main.CASES.put("describe-producers", Since3::describeProducers);
        Main.CASES.put("describe-transactions", Since3::describeTransactions);
    }

    static void incrementalAlterConfigs(Main.Run run) throws Exception {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, Since1.create(run, "t", 1, "retention.ms", "60000"));
        alter(run, topic, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND);
        Main.until("both policies", 10, () -> new HashSet<>(Arrays.asList(Since1.config(run, topic.name()).get("cleanup.policy").value().split(",")))
            .equals(new HashSet<>(Arrays.asList("delete", "compact"))));
        alter(run, topic, "cleanup.policy", "delete", AlterConfigOp.OpType.SUBTRACT);
        alter(run, topic, "retention.ms", "", AlterConfigOp.OpType.DELETE);
        Main.until("retention.ms to be the default", 10, () -> Since1.config(run, topic.name()).get("retention.ms").value().equals("604800000"));
        Main.equal(Since1.config(run, topic.name()).get("cleanup.policy").value(), "compact", "cleanup.policy");
        Main.refused(() -> alter(run, topic, "retention.ms", "soon", AlterConfigOp.OpType.SET), "InvalidConfigurationException");
    }

    static Object alter(Main.Run run, ConfigResource resource, String name, String value, AlterConfigOp.OpType how) throws Exception {
        AlterConfigOp change = new AlterConfigOp(new ConfigEntry(name, value), how);
        return Since1.admin(run, admin -> admin.incrementalAlterConfigs(Collections.singletonMap(resource, Collections.singleton(change))).all().get());
    }

    static void listOffsets(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(Since1.create(run, "t", 1), 0);
        try (KafkaProducer<byte[], byte[]> producer = Basics.producer(run)) {
            for (int n : new int[] {1, 9, 5}) producer.send(new ProducerRecord<>(partition.topic(), 0, Basics.START_MS + n, null, Basics.bytes("v"))).get();
        }
        List<Long> found = new ArrayList<>();
        for (OffsetSpec spec : Arrays.asList(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(),
                OffsetSpec.forTimestamp(Basics.START_MS + 2), OffsetSpec.earliestLocal(), OffsetSpec.latestTiered()))
            found.add(Since1.admin(run, admin -> admin.listOffsets(Collections.singletonMap(partition, spec)).partitionResult(partition).get().offset()));
        Main.equal(found, Arrays.asList(0L, 3L, 1L, 1L, 0L, -1L), "the offsets");
    }

    /** A consumer that resumes at an offset with a leader epoch has it validated before it fetches. */
    static void offsetForLeaderEpoch(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(Since1.create(run, "t", 1), 0);
        Basics.send(run, partition.topic(), Basics.numbers(10));
        Optional<Integer> epoch = Basics.consume(run, partition.topic(), 10).get(0).leaderEpoch();
        Main.equal(epoch, Optional.of(0), "the leader epoch");
        try (KafkaConsumer<byte[], byte[]> reader = Basics.consumer(run, "reader", "auto.offset.reset", "none")) {
            reader.assign(Collections.singleton(partition));
            reader.seek(partition, new OffsetAndMetadata(4, epoch, ""));
            Main.equal(Basics.take(reader, 1).get(0).offset(), 4L, "the offset");
            reader.seek(partition, new OffsetAndMetadata(40, epoch, ""));
            Main.refused(() -> Basics.take(reader, 1), "LogTruncationException");
        }
    }

    static void groupStatic(Main.Run run) throws Exception {
        List<String> topics = Collections.singletonList(Since1.create(run, "t", 4));
        Object[] settings = {"session.timeout.ms", 20000, "group.instance.id", "second"};
        try (Groups.Member first = new Groups.Member(run, topics, "session.timeout.ms", 20000, "group.instance.id", "first")) {
            Groups.Member second = new Groups.Member(run, topics, settings);
            Groups.settle(2, first, second);
            Set<TopicPartition> held = second.held;
            int before = first.rebalances;
            second.close();
            try (Groups.Member again = new Groups.Member(run, topics, settings)) {
                Main.until("its partitions to come back", 15, () -> again.held.equals(held));
                Main.equal(first.rebalances, before, "the number of rebalances that the first saw");
            }
        }
    }

    /** A group with offsets in a topic, and no member. */
    static TopicPartition used(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(Since1.create(run, "t", 1), 0);
        try (KafkaConsumer<byte[], byte[]> reader = Basics.consumer(run, "group")) {
            reader.commitSync(Collections.singletonMap(partition, new OffsetAndMetadata(3)));
        }
        return partition;
    }

    static Map<TopicPartition, OffsetAndMetadata> offsets(Main.Run run) throws Exception {
        return Since1.admin(run, admin -> admin.listConsumerGroupOffsets(run.name("group")).partitionsToOffsetAndMetadata().get());
    }

    static void groupsList(Main.Run run) throws Exception {
        used(run);
        ListConsumerGroupsOptions empty = new ListConsumerGroupsOptions().inStates(Collections.singleton(ConsumerGroupState.EMPTY));
        Main.holds(Since1.admin(run, admin -> admin.listConsumerGroups(empty).all().get()).stream().anyMatch(g -> g.groupId().equals(run.name("group"))),
            "the group is not listed");
    }

    static void groupsDescribe(Main.Run run) throws Exception {
        for (String protocol : new String[] {"classic", "consumer"}) {
            Main.Run own = new Main.Run(run.address, run.prefix, protocol);
            List<String> topics = Collections.singletonList(Since1.create(own, "t", 4));
            try (Groups.Member one = new Groups.Member(own, topics, "client.id", "the-client", "group.protocol", protocol)) {
                Groups.settle(4, one);
                ConsumerGroupDescription found = Since1.admin(own, admin ->
                    admin.describeConsumerGroups(Collections.singleton(own.name("group"))).all().get().get(own.name("group")));
                MemberDescription member = found.members().iterator().next();
                Main.equal(found.state() + " " + member.clientId() + " " + member.assignment().topicPartitions().size() + " " + found.type(),
                    "Stable the-client 4 " + (protocol.equals("classic") ? "Classic" : "Consumer"), "the group");
            }
        }
    }

    static void groupsDelete(Main.Run run) throws Exception {
        used(run);
        Since1.admin(run, admin -> admin.deleteConsumerGroups(Collections.singleton(run.name("group"))).all().get());
        Main.refused(() -> Since1.admin(run, admin -> admin.deleteConsumerGroups(Collections.singleton(run.name("group"))).all().get()),
            "GroupIdNotFoundException");
    }

    static void groupsAlterOffsets(Main.Run run) throws Exception {
        TopicPartition partition = used(run);
        Since1.admin(run, admin -> admin.alterConsumerGroupOffsets(run.name("group"), Collections.singletonMap(partition, new OffsetAndMetadata(9)))
            .all().get());
        Main.equal(offsets(run).get(partition).offset(), 9L, "the offset");
    }

    static void groupsDeleteOffsets(Main.Run run) throws Exception {
        TopicPartition partition = used(run), other = new TopicPartition(Since1.create(run, "other", 1), 0);
        Since1.admin(run, admin -> admin.alterConsumerGroupOffsets(run.name("group"), Collections.singletonMap(other, new OffsetAndMetadata(1))).all().get());
        Since1.admin(run, admin -> admin.deleteConsumerGroupOffsets(run.name("group"), Collections.singleton(partition)).all().get());
        Main.equal(offsets(run).keySet(), Collections.singleton(other), "the partitions with offsets");
    }

    /** By the group's metadata, which fences zombies of the group. */
    static void txnOffsets(Main.Run run) throws Exception {
        String topic = Since1.create(run, "t", 1);
        TopicPartition partition = new TopicPartition(topic, 0);
        try (KafkaProducer<byte[], byte[]> producer = Since1.transactional(run);
             KafkaConsumer<byte[], byte[]> member = Basics.consumer(run, "group")) {
            member.subscribe(Collections.singletonList(topic));
            Main.until("the member to be assigned", 20, () -> Basics.poll(member, 100).isEmpty() && !member.assignment().isEmpty());
            ConsumerGroupMetadata now = member.groupMetadata();
            for (long offset : new long[] {4, 8}) {
                producer.beginTransaction();
                producer.sendOffsetsToTransaction(Collections.singletonMap(partition, new OffsetAndMetadata(offset)), now);
                if (offset == 4) producer.commitTransaction(); else producer.abortTransaction();
                Main.equal(member.committed(Collections.singleton(partition)).get(partition).offset(), 4L, "the committed offset");
            }
            producer.beginTransaction();
            ConsumerGroupMetadata old = new ConsumerGroupMetadata(now.groupId(), now.generationId() - 1, now.memberId(), Optional.empty());
            Main.refused(() -> {
                producer.sendOffsetsToTransaction(Collections.singletonMap(partition, new OffsetAndMetadata(9)), old);
                return null;
            }, "CommitFailedException");
            producer.abortTransaction();
        }
    }

    static void describeLogDirs(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(Since1.create(run, "t", 1), 0);
        Basics.send(run, partition.topic(), Basics.numbers(10));
        Since1.admin(run, admin -> {
            int node = admin.describeCluster().nodes().get().iterator().next().id();
            LogDirDescription dir = admin.describeLogDirs(Collections.singleton(node)).allDescriptions().get().get(node).values().iterator().next();
            Main.holds(dir.error() == null && dir.replicaInfos().get(partition).size() > 0, "the topic has no size: " + dir);
            Main.holds(dir.totalBytes().getAsLong() >= dir.usableBytes().getAsLong(), "the directory's sizes: " + dir);
            return null;
        });
    }

    static void describeProducers(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(Since1.create(run, "t", 1), 0);
        Basics.send(run, partition.topic(), Basics.numbers(3), "enable.idempotence", true, "batch.size", 0);
        List<ProducerState> found = Since1.admin(run, admin ->
            admin.describeProducers(Collections.singleton(partition)).partitionResult(partition).get().activeProducers());
        Main.equal(found.size() + " " + found.get(0).lastSequence() + " " + found.get(0).currentTransactionStartOffset(), "1 2 OptionalLong.empty", "the producers");
    }

    static void describeTransactions(Main.Run run) throws Exception {
        String topic = Since1.create(run, "t", 1), id = run.name("txn");
        try (KafkaProducer<byte[], byte[]> producer = Since1.transactional(run)) {
            producer.beginTransaction();
            producer.send(Since1.record(topic, "open")).get();
            Since1.admin(run, admin -> {
                TransactionDescription found = admin.describeTransactions(Collections.singleton(id)).description(id).get();
                Main.equal(found.state() + " " + found.topicPartitions(), "Ongoing [" + topic + "-0]", "the transaction");
                Main.holds(admin.listTransactions().all().get().stream().anyMatch(t -> t.transactionalId().equals(id)), "it is not listed");
                return null;
            });
            producer.commitTransaction();
            Main.until("it to be complete", 10, () -> Since1.admin(run, admin ->
                admin.describeTransactions(Collections.singleton(id)).description(id).get().state() == TransactionState.COMPLETE_COMMIT));
        }
    }
}
