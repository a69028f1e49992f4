"""confluent-kafka: transactions, and what it can ask of the cluster."""

from confluent import admin, consume, consumer, create, produce
from confluent_kafka import KafkaException, Producer, TopicPartition
from harness import case, equal, holds, refused

COMMITTED, UNCOMMITTED = ({"isolation.level": level} for level in ("read_committed", "read_uncommitted"))


def transactional(run):
    producer = Producer({"bootstrap.servers": run.bootstrap, "transactional.id": run.name("txn"), "transaction.timeout.ms": 20000})
    producer.init_transactions(20)
    return producer


def read(run, topic, count, level):
    return [message.value() for message in consume(run, topic, count, **level)]


@case("txn-commit")
def txn_commit(run):
    one, two = create(run, "one"), create(run, "two")
    producer = transactional(run)
    producer.begin_transaction()
    for topic in (one, two):
        producer.produce(topic, b"in")
    producer.flush(20)
    equal((read(run, one, 0, COMMITTED), read(run, one, 1, UNCOMMITTED)), ([], [b"in"]), "what was read before the commit")
    producer.commit_transaction(20)
    equal((read(run, one, 1, COMMITTED), read(run, two, 1, COMMITTED)), ([b"in"], [b"in"]), "what was read after it")


@case("txn-abort")
def txn_abort(run):
    topic = create(run)
    producer = transactional(run)
    for value, end in (b"aborted", producer.abort_transaction), (b"committed", producer.commit_transaction):
        producer.begin_transaction()
        producer.produce(topic, value)
        producer.flush(20)
        end(20)
    equal(read(run, topic, 1, COMMITTED), [b"committed"], "what is committed")
    equal(read(run, topic, 2, UNCOMMITTED), [b"aborted", b"committed"], "what is not")


@case("txn-offsets")
def txn_offsets(run):
    topic = create(run)
    produce(run, topic, [{"value": b"%d" % n} for n in range(10)])
    producer, reader = transactional(run), consumer(run)
    for offset, end, committed in (4, producer.commit_transaction, 4), (8, producer.abort_transaction, 4):
        producer.begin_transaction()
        producer.send_offsets_to_transaction([TopicPartition(topic, 0, offset)], reader.consumer_group_metadata(), 20)
        end(20)
        equal(reader.committed([TopicPartition(topic, 0)], 10)[0].offset, committed, "the committed offset")
    reader.close()


@case("txn-fencing")
def txn_fencing(run):
    topic = create(run)
    zombie = transactional(run)
    zombie.begin_transaction()
    zombie.produce(topic, b"zombie")
    zombie.flush(20)
    heir = transactional(run)
    error = refused(lambda: zombie.commit_transaction(20), "FENCED", "INVALID_PRODUCER_EPOCH")
    holds(isinstance(error, KafkaException) and error.args[0].fatal(), "the zombie may go on")
    heir.begin_transaction()
    heir.produce(topic, b"heir")
    heir.commit_transaction(20)
    equal(read(run, topic, 1, COMMITTED), [b"heir"], "what is committed")


@case("describe-cluster")
def describe_cluster(run):
    found = admin(run).describe_cluster(request_timeout=10).result(10)
    equal([f"{n.host}:{n.port}" for n in found.nodes], [run.bootstrap], "the nodes")
    holds(found.cluster_id, "the cluster has no id")
    holds(found.controller is not None and found.controller.id == found.nodes[0].id, f"the controller is {found.controller}")
