import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.TopicPartition;

/** Consumer groups as every Java client since 0.10.2 has them: two members share two topics of one partition each. */
final class Groups {
    static void cases() {
        Main.CASES.put("group-eager", run -> {
            List<String> topics = new ArrayList<>();
            for (String what : new String[] {"a", "b"}) topics.add(Basics.topic(new Main.Run(run.address, run.prefix, what)));
            Object[] settings = {"partition.assignment.strategy", "org.apache.kafka.clients.consumer.RoundRobinAssignor"};
            twoMembers(run, topics, 1, 2, settings);
        });
        Main.CASES.put("commit-resume", Groups::commitResume);
        Main.CASES.put("manual-commit", Groups::manualCommit);
    }

    /** A consumer on a thread of its own that counts what it is given and what it gives up. */
    static final class Member implements ConsumerRebalanceListener, AutoCloseable {
        private final Thread thread;
        private volatile boolean running = true;
        final Set<String> seen = Collections.synchronizedSet(new TreeSet<>());
        volatile Set<TopicPartition> held = Collections.emptySet();
        volatile Throwable failure;
        volatile int lost, rebalances;

        Member(Main.Run run, Collection<String> topics, Object... settings) {
            thread = new Thread(() -> {
                try (KafkaConsumer<byte[], byte[]> reader = Basics.consumer(run, "group", settings)) {
                    reader.subscribe(topics, this);
                    while (running) {
                        for (ConsumerRecord<byte[], byte[]> record : Basics.poll(reader, 50))
                            seen.add(record.topic() + record.partition() + " " + record.offset());
                        held = new HashSet<>(reader.assignment());
                    }
                } catch (Throwable thrown) {
                    failure = thrown;
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            lost += partitions.size();
        }

        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            rebalances++;
        }

        public void close() throws InterruptedException {
            running = false;
            thread.join(20_000);
        }
    }

    /** Waits until each has that many partitions and none is held twice. */
    static void settle(int each, Member... members) throws Exception {
        Main.until("members with " + each + " partitions", 30, () -> {
            Set<TopicPartition> all = new HashSet<>();
            boolean right = true;
            for (Member member : members) {
                if (member.failure != null) throw new AssertionError(member.failure);
                Set<TopicPartition> held = member.held;
                right &= held.size() == each && Collections.disjoint(all, held);
                all.addAll(held);
            }
            return right;
        });
    }

    /** The first gives up `lost` partitions when the second comes, and has all again when it goes. */
    static void twoMembers(Main.Run run, List<String> topics, int partitions, int lost, Object... settings) throws Exception {
        int all = topics.size() * partitions;
        try (Member first = new Member(run, topics, settings)) {
            settle(all, first);
            try (Member second = new Member(run, topics, settings)) {
                settle(all / 2, first, second);
                Main.equal(first.lost, lost, "the number of partitions that the first had to give up");
                for (String topic : topics) Basics.send(run, topic, Basics.numbers(20));
                Main.until("all records", 20, () -> first.seen.size() + second.seen.size() == topics.size() * 20);
            }
            settle(all, first);
        }
    }

    static void commitResume(Main.Run run) throws Exception {
        String topic = Basics.topic(run);
        Basics.send(run, topic, Basics.numbers(4));
        for (String expected : new String[] {"[0]", "[1]"}) {
            try (KafkaConsumer<byte[], byte[]> reader = Basics.consumer(run, "group", "max.poll.records", 1)) {
                reader.subscribe(Collections.singletonList(topic));
                Main.equal(Basics.texts(Basics.take(reader, 1)).toString(), expected, "what was read");
                reader.commitSync();
            }
        }
    }

    static void manualCommit(Main.Run run) {
        TopicPartition partition = new TopicPartition(Basics.topic(run), 0);
        try (KafkaConsumer<byte[], byte[]> reader = Basics.consumer(run, "group")) {
            reader.assign(Collections.singleton(partition));
            reader.commitSync(Collections.singletonMap(partition, new OffsetAndMetadata(7, "by hand")));
            Main.equal(reader.committed(partition), new OffsetAndMetadata(7, "by hand"), "what was committed");
        }
    }
}
