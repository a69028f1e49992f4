import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;

/** What came with 0.11 to 1.1: headers, idempotent and transactional producers, the admin client. */
final class Since1 {
    static void cases() {
        Main.CASES.put("create-topic", Since1::createTopic);
        Main.CASES.put("delete-topic", Since1::deleteTopic);
        Main.CASES.put("create-partitions", Since1::createPartitions);
        Main.CASES.put("describe-configs", Since1::describeConfigs);
        Main.CASES.put("alter-configs", Since1::alterConfigs);
        Main.CASES.put("unknown-topic", Since1::unknownTopic);
        Main.CASES.put("delete-records", Since1::deleteRecords);
        Main.CASES.put("record-fields", Since1::recordFields);
        Main.CASES.put("idempotent", run -> Basics.roundTrip(run, create(run, "t", 1), Basics.numbers(500),
            "enable.idempotence", true, "acks", "all", "batch.size", 200));
        Main.CASES.put("too-large", Since1::tooLarge);
        Main.CASES.put("compacted-without-key", Since1::compactedWithoutKey);
        Main.CASES.put("group-eager", run -> Groups.twoMembers(run, Collections.singletonList(create(run, "t", 4)), 4, 4));
        Main.CASES.put("txn-commit", Since1::txnCommit);
        Main.CASES.put("txn-abort", Since1::txnAbort);
        Main.CASES.put("txn-offsets", Since1::txnOffsets);
        Main.CASES.put("txn-fencing", Since1::txnFencing);
        Main.CASES.put("describe-cluster", Since1::describeCluster);
        Main.CASES.put("describe-log-dirs", Since1::describeLogDirs);
    }

    interface Asking<T> {
        T ask(AdminClient admin) throws Exception;
    }

    static <T> T admin(Main.Run run, Asking<T> asking) throws Exception {
        try (AdminClient admin = AdminClient.create(Main.properties("bootstrap.servers", run.address, "request.timeout.ms", 20000))) {
            return asking.ask(admin);
        }
    }

    static String create(Main.Run run, String what, int partitions, String... settings) throws Exception {
        NewTopic topic = new NewTopic(run.name(what), partitions, (short) 1).configs(pairs(settings));
        admin(run, admin -> admin.createTopics(Collections.singleton(topic)).all().get());
        return topic.name();
    }

    static Map<String, String> pairs(String... settings) {
        Map<String, String> made = new HashMap<>();
        for (int n = 0; n < settings.length; n += 2) made.put(settings[n], settings[n + 1]);
        return made;
    }

    static int partitions(Main.Run run, String topic) throws Exception {
        return admin(run, admin -> admin.describeTopics(Collections.singleton(topic)).values().get(topic).get().partitions().size());
    }

    static void createTopic(Main.Run run) throws Exception {
        Main.equal(partitions(run, create(run, "t", 2, "retention.ms", "60000")), 2, "the number of partitions");
        Main.refused(() -> create(run, "t", 2), "TopicExistsException");
        Main.refused(() -> create(run, "bad", 1, "retention.ms", "soon"), "InvalidConfigurationException");
    }

    static void deleteTopic(Main.Run run) throws Exception {
        String topic = create(run, "t", 1);
        admin(run, admin -> admin.deleteTopics(Collections.singleton(topic)).all().get());
        Main.until("the topic to go", 10, () -> !admin(run, admin -> admin.listTopics().names().get().contains(topic)));
        Main.refused(() -> admin(run, admin -> admin.deleteTopics(Collections.singleton(topic)).all().get()), "UnknownTopicOrPartitionException");
    }

    static void createPartitions(Main.Run run) throws Exception {
        String topic = create(run, "t", 1);
        admin(run, admin -> admin.createPartitions(Collections.singletonMap(topic, NewPartitions.increaseTo(3))).all().get());
        Main.until("three partitions", 10, () -> partitions(run, topic) == 3);
    }

    static Config config(Main.Run run, String topic) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        return admin(run, admin -> admin.describeConfigs(Collections.singleton(resource)).all().get().get(resource));
    }

    static void describeConfigs(Main.Run run) throws Exception {
        Config found = config(run, create(run, "t", 1, "retention.ms", "60000"));
        Main.equal(found.get("retention.ms").value() + found.get("retention.ms").isDefault() + found.get("cleanup.policy").value(),
            "60000falsedelete", "the settings");
    }

    static void alterConfigs(Main.Run run) throws Exception {
        String topic = create(run, "t", 1, "retention.ms", "60000");
        Config config = new Config(Collections.singleton(new ConfigEntry("segment.bytes", "1048576")));
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        admin(run, admin -> admin.alterConfigs(Collections.singletonMap(resource, config)).all().get());
        Main.until("both settings to be altered", 10, () -> config(run, topic).get("segment.bytes").value().equals("1048576")
            && config(run, topic).get("retention.ms").value().equals("604800000"));
    }

    static void unknownTopic(Main.Run run) {
        Main.refused(() -> partitions(run, run.name("nowhere")), "UnknownTopicOrPartitionException");
        Main.refused(() -> config(run, run.name("nowhere")), "UnknownTopicOrPartitionException", "InvalidTopicException");
    }

    static void deleteRecords(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(create(run, "t", 1), 0);
        Basics.send(run, partition.topic(), Basics.numbers(10));
        long low = admin(run, admin -> admin.deleteRecords(Collections.singletonMap(partition, RecordsToDelete.beforeOffset(6)))
            .lowWatermarks().get(partition).get().lowWatermark());
        Main.equal(low, 6L, "the low watermark");
        Main.equal(Basics.texts(Basics.consume(run, partition.topic(), 4)).toString(), "[6, 7, 8, 9]", "what remains");
    }

    static void recordFields(Main.Run run) throws Exception {
        String topic = create(run, "t", 1);
        try (KafkaProducer<byte[], byte[]> producer = Basics.producer(run)) {
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, Basics.START_MS, Basics.bytes("k"), Basics.bytes("v"));
            record.headers().add("a", Basics.bytes("1")).add("a", Basics.bytes("2")).add("none", null).add("empty", Basics.bytes(""));
            producer.send(record).get();
        }
        ConsumerRecord<byte[], byte[]> record = Basics.consume(run, topic, 1).get(0);
        StringBuilder found = new StringBuilder(new String(record.key()) + new String(record.value()) + record.timestamp());
        for (Header header : record.headers())
            found.append(' ').append(header.key()).append('=').append(header.value() == null ? null : new String(header.value()));
        Main.equal(found.toString(), "kv" + Basics.START_MS + " a=1 a=2 none=null empty=", "the record");
    }

    static void tooLarge(Main.Run run) throws Exception {
        String topic = create(run, "t", 1, "max.message.bytes", "10000");
        Main.refused(() -> Basics.send(run, topic, Collections.singletonList(new byte[20000])), "RecordTooLargeException");
        Basics.roundTrip(run, topic, Basics.numbers(1));
    }

    static void compactedWithoutKey(Main.Run run) throws Exception {
        String topic = create(run, "t", 1, "cleanup.policy", "compact");
        Main.refused(() -> Basics.send(run, topic, Basics.numbers(1)), "InvalidRecordException", "CorruptRecordException", "UnknownServerException");
    }

    static final String[] COMMITTED = {"isolation.level", "read_committed"}, UNCOMMITTED = {"isolation.level", "read_uncommitted"};

    static KafkaProducer<byte[], byte[]> transactional(Main.Run run) {
        KafkaProducer<byte[], byte[]> producer = Basics.producer(run, "transactional.id", run.name("txn"), "transaction.timeout.ms", 20000);
        producer.initTransactions();
        return producer;
    }

    static ProducerRecord<byte[], byte[]> record(String topic, String value) {
        return new ProducerRecord<>(topic, 0, null, Basics.bytes(value));
    }

    static String read(Main.Run run, String topic, int count, String[] level) {
        return Basics.texts(Basics.consume(run, topic, count, (Object[]) level)).toString();
    }

    static void txnCommit(Main.Run run) throws Exception {
        String one = create(run, "one", 1), two = create(run, "two", 1);
        try (KafkaProducer<byte[], byte[]> producer = transactional(run)) {
            producer.beginTransaction();
            for (String topic : new String[] {one, two}) producer.send(record(topic, "in")).get();
            Main.equal(read(run, one, 0, COMMITTED) + read(run, one, 1, UNCOMMITTED), "[][in]", "what was read before the commit");
            producer.commitTransaction();
            Main.equal(read(run, one, 1, COMMITTED) + read(run, two, 1, COMMITTED), "[in][in]", "what was read after it");
        }
    }

    static void txnAbort(Main.Run run) throws Exception {
        String topic = create(run, "t", 1);
        try (KafkaProducer<byte[], byte[]> producer = transactional(run)) {
            producer.beginTransaction();
            producer.send(record(topic, "aborted")).get();
            producer.abortTransaction();
            producer.beginTransaction();
            producer.send(record(topic, "committed")).get();
            producer.commitTransaction();
        }
        Main.equal(read(run, topic, 1, COMMITTED) + read(run, topic, 2, UNCOMMITTED), "[committed][aborted, committed]", "what was read");
    }

    static void txnOffsets(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(create(run, "t", 1), 0);
        try (KafkaProducer<byte[], byte[]> producer = transactional(run); KafkaConsumer<byte[], byte[]> reader = Basics.consumer(run, "group")) {
            for (long offset : new long[] {4, 8}) {
                producer.beginTransaction();
                producer.sendOffsetsToTransaction(Collections.singletonMap(partition, new OffsetAndMetadata(offset)), run.name("group"));
                if (offset == 4) producer.commitTransaction(); else producer.abortTransaction();
                Main.equal(reader.committed(partition).offset(), 4L, "the committed offset");
            }
        }
    }

    static void txnFencing(Main.Run run) throws Exception {
        String topic = create(run, "t", 1);
        try (KafkaProducer<byte[], byte[]> zombie = transactional(run)) {
            zombie.beginTransaction();
            zombie.send(record(topic, "zombie")).get();
            try (KafkaProducer<byte[], byte[]> heir = transactional(run)) {
                Main.refused(() -> { zombie.commitTransaction(); return null; }, "ProducerFencedException", "InvalidProducerEpochException");
                heir.beginTransaction();
                heir.send(record(topic, "heir")).get();
                heir.commitTransaction();
            }
        }
        Main.equal(read(run, topic, 1, COMMITTED), "[heir]", "what is committed");
    }

    static void describeCluster(Main.Run run) throws Exception {
        admin(run, admin -> {
            DescribeClusterResult found = admin.describeCluster();
            Main.equal(found.nodes().get().iterator().next().host() + ":" + found.nodes().get().iterator().next().port(), run.address, "the node");
            Main.equal(found.controller().get().id(), found.nodes().get().iterator().next().id(), "the controller");
            Main.holds(!found.clusterId().get().isEmpty(), "the cluster has no id");
            return null;
        });
    }

    static void describeLogDirs(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(create(run, "t", 1), 0);
        Basics.send(run, partition.topic(), Basics.numbers(10));
        admin(run, admin -> {
            int node = admin.describeCluster().nodes().get().iterator().next().id();
            TopicPartitionReplica replica = new TopicPartitionReplica(partition.topic(), 0, node);
            Main.holds(admin.describeReplicaLogDirs(Collections.singleton(replica)).values().get(replica).get().getCurrentReplicaLogDir() != null,
                "the topic is in no log directory");
            return null;
        });
    }
}
