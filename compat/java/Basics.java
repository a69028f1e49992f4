import java.lang.reflect.InvocationTargetException;
import java.time.Duration;
import java.util.*;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.*;

/** What every Java client since 0.10.2 has: producing, consuming, offsets. Topics are made by the broker when they are named. */
final class Basics {
    /** An hour ago: what is older than a week is deleted by retention. */
    static final long START_MS = System.currentTimeMillis() - 3_600_000;

    static void cases() {
        Main.CASES.put("metadata", Basics::metadata);
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4"}) Main.CASES.put("codec-" + codec, run -> codec(run, codec));
        Main.CASES.put("record-fields", Basics::recordFields);
        for (String acks : new String[] {"0", "1", "all"})
            Main.CASES.put("acks-" + acks, run -> roundTrip(run, topic(run), numbers(50), "acks", acks));
        Main.CASES.put("big-message", Basics::bigMessage);
        Main.CASES.put("too-large", Basics::tooLarge);
        Main.CASES.put("tombstones", Basics::tombstones);
        Main.CASES.put("offsets-for-times", Basics::offsetsForTimes);
        Main.CASES.put("list-offsets", Basics::listOffsets);
        Main.CASES.put("seek", Basics::seek);
        Main.CASES.put("offset-reset", Basics::offsetReset);
    }

    /** A topic that the first metadata request makes. */
    static String topic(Main.Run run) {
        String topic = run.name("t");
        try (KafkaProducer<byte[], byte[]> producer = producer(run)) {
            producer.partitionsFor(topic);
        }
        return topic;
    }

    static KafkaProducer<byte[], byte[]> producer(Main.Run run, Object... settings) {
        Properties all = Main.properties("bootstrap.servers", run.address, "max.block.ms", 20000, "retries", 3);
        all.putAll(Main.properties(settings));
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(Main.Run run, String group, Object... settings) {
        Properties all = Main.properties("bootstrap.servers", run.address, "group.id", run.name(group), "enable.auto.commit", "false",
            "auto.offset.reset", "earliest", "metadata.max.age.ms", 2000);
        all.putAll(Main.properties(settings));
        if (!all.containsKey("group.protocol")) {
            all.putIfAbsent("session.timeout.ms", 6000);
            all.putIfAbsent("heartbeat.interval.ms", 300);
        }
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static byte[] bytes(String text) {
        return text.getBytes();
    }

    static List<byte[]> numbers(int count) {
        List<byte[]> made = new ArrayList<>();
        for (int n = 0; n < count; n++) made.add(bytes("" + n));
        return made;
    }

    /** Sends values and waits for all; throws the first refusal. */
    static List<RecordMetadata> send(Main.Run run, String topic, List<byte[]> values, Object... settings) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        List<RecordMetadata> acknowledged = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = producer(run, settings)) {
            for (byte[] value : values) sent.add(producer.send(new ProducerRecord<>(topic, 0, null, value)));
            for (Future<RecordMetadata> answer : sent) acknowledged.add(answer.get());
        }
        return acknowledged;
    }

    /** The newer consumer has poll(Duration), the older ones poll(long), which the newer protocol of groups refuses. */
    @SuppressWarnings("unchecked")
    static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> reader, long ms) {
        try {
            return (ConsumerRecords<byte[], byte[]>) KafkaConsumer.class.getMethod("poll", Duration.class).invoke(reader, Duration.ofMillis(ms));
        } catch (NoSuchMethodException older) {
            return reader.poll(ms);
        } catch (InvocationTargetException thrown) {
            throw (RuntimeException) thrown.getCause();
        } catch (IllegalAccessException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static List<ConsumerRecord<byte[], byte[]>> take(KafkaConsumer<byte[], byte[]> reader, int count) {
        List<ConsumerRecord<byte[], byte[]>> taken = new ArrayList<>();
        long end = System.nanoTime() + 20_000_000_000L;
        while (taken.size() < count) {
            for (ConsumerRecord<byte[], byte[]> record : poll(reader, 200)) taken.add(record);
            Main.holds(System.nanoTime() < end, "read " + taken.size() + " of " + count + " records in 20 s");
        }
        return taken;
    }

    static List<ConsumerRecord<byte[], byte[]>> consume(Main.Run run, String topic, int count, Object... settings) {
        try (KafkaConsumer<byte[], byte[]> reader = consumer(run, "reader", settings)) {
            TopicPartition partition = new TopicPartition(topic, 0);
            reader.assign(Collections.singleton(partition));
            reader.seekToBeginning(Collections.singleton(partition));
            List<ConsumerRecord<byte[], byte[]>> taken = take(reader, count);
            int more = poll(reader, count == 0 ? 1500 : 300).count();
            Main.equal(taken.size() + more, count, "the number of records");
            return taken;
        }
    }

    static List<String> texts(List<ConsumerRecord<byte[], byte[]>> records) {
        List<String> texts = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : records) texts.add(record.value() == null ? null : new String(record.value()));
        return texts;
    }

    static void roundTrip(Main.Run run, String topic, List<byte[]> values, Object... settings) throws Exception {
        send(run, topic, values, settings);
        List<ConsumerRecord<byte[], byte[]>> read = consume(run, topic, values.size());
        for (int n = 0; n < values.size(); n++) Main.holds(Arrays.equals(read.get(n).value(), values.get(n)), "value " + n + " differs");
    }

    static void metadata(Main.Run run) {
        String topic = topic(run);
        try (KafkaConsumer<byte[], byte[]> reader = consumer(run, "reader")) {
            Main.holds(reader.listTopics().containsKey(topic), "the topic is not listed");
            Main.equal(reader.partitionsFor(topic).get(0).leader().host() + ":" + reader.partitionsFor(topic).get(0).leader().port(),
                run.address, "the leader");
        }
    }

    static void codec(Main.Run run, String codec) throws Exception {
        List<byte[]> values = new ArrayList<>();
        for (int n = 0; n < 200; n++) values.add(bytes(n + " " + String.join("", Collections.nCopies(n * n % 97, "abcdefgh"))));
        roundTrip(run, topic(run), values, "compression.type", codec, "linger.ms", 20);
    }

    static void recordFields(Main.Run run) throws Exception {
        String topic = topic(run);
        try (KafkaProducer<byte[], byte[]> producer = producer(run)) {
            producer.send(new ProducerRecord<>(topic, 0, START_MS, bytes("k"), bytes("v"))).get();
        }
        ConsumerRecord<byte[], byte[]> record = consume(run, topic, 1).get(0);
        Main.equal(new String(record.key()) + new String(record.value()) + record.timestamp() + record.timestampType(),
            "kv" + START_MS + "CreateTime", "the record");
    }

    static void bigMessage(Main.Run run) throws Exception {
        byte[] value = new byte[900_000];
        for (int n = 0; n < value.length; n++) value[n] = (byte) n;
        roundTrip(run, topic(run), Collections.singletonList(value));
    }

    /** The limit is the broker's; the producer's own is lifted. */
    static void tooLarge(Main.Run run) throws Exception {
        String topic = topic(run);
        Main.refused(() -> send(run, topic, Collections.singletonList(new byte[1_500_000]), "max.request.size", 5_000_000), "RecordTooLargeException");
        roundTrip(run, topic, numbers(1));
    }

    static void tombstones(Main.Run run) throws Exception {
        String topic = topic(run);
        send(run, topic, Arrays.asList(null, bytes("")));
        Main.equal(texts(consume(run, topic, 2)), Arrays.asList(null, ""), "the values");
    }

    static void offsetsForTimes(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(topic(run), 0);
        try (KafkaProducer<byte[], byte[]> producer = producer(run); KafkaConsumer<byte[], byte[]> reader = consumer(run, "reader")) {
            for (int n = 0; n < 10; n++) producer.send(new ProducerRecord<>(partition.topic(), 0, START_MS + n * 1000, null, bytes("v"))).get();
            List<Object> found = new ArrayList<>();
            for (long ms : new long[] {0, 4001, 9000, 9001}) {
                OffsetAndTimestamp at = reader.offsetsForTimes(Collections.singletonMap(partition, START_MS + ms)).get(partition);
                found.add(at == null ? null : at.offset());
            }
            Main.equal(found, Arrays.asList(0L, 5L, 9L, null), "the offsets");
        }
    }

    static void listOffsets(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(topic(run), 0);
        send(run, partition.topic(), numbers(3));
        try (KafkaConsumer<byte[], byte[]> reader = consumer(run, "reader")) {
            Set<TopicPartition> all = Collections.singleton(partition);
            Main.equal(reader.beginningOffsets(all).get(partition) + " " + reader.endOffsets(all).get(partition), "0 3", "the ends");
        }
    }

    static void seek(Main.Run run) throws Exception {
        TopicPartition partition = new TopicPartition(topic(run), 0);
        send(run, partition.topic(), numbers(10));
        try (KafkaConsumer<byte[], byte[]> reader = consumer(run, "reader", "max.poll.records", 1)) {
            reader.assign(Collections.singleton(partition));
            for (long offset : new long[] {4, 0, 9, 3}) {
                reader.seek(partition, offset);
                Main.equal(take(reader, 1).get(0).offset(), offset, "the offset after a seek");
            }
        }
    }

    static void offsetReset(Main.Run run) throws Exception {
        String topic = topic(run);
        Set<TopicPartition> all = Collections.singleton(new TopicPartition(topic, 0));
        send(run, topic, Collections.singletonList(bytes("old")));
        try (KafkaConsumer<byte[], byte[]> earliest = consumer(run, "earliest");
             KafkaConsumer<byte[], byte[]> latest = consumer(run, "latest", "auto.offset.reset", "latest");
             KafkaConsumer<byte[], byte[]> none = consumer(run, "none", "auto.offset.reset", "none")) {
            for (KafkaConsumer<byte[], byte[]> reader : Arrays.asList(earliest, latest, none)) reader.assign(all);
            Main.equal(texts(take(earliest, 1)), Arrays.asList("old"), "the earliest");
            Main.refused(() -> take(none, 1), "NoOffsetForPartitionException");
            Main.equal(poll(latest, 1500).count(), 0, "the records before the latest");
            send(run, topic, Collections.singletonList(bytes("new")));
            Main.equal(texts(take(latest, 1)), Arrays.asList("new"), "the latest");
        }
    }
}
