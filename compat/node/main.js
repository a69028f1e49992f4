// kafkajs: its producer, consumer and admin client.
const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, Partitioners, logLevel } = require("kafkajs");
const { cases, equal, main, refused, sleep, until } = require("./harness");

const START_MS = Date.now() - 3600000; // not so old that retention deletes it
const snappy = require("snappyjs"), lz4 = require("lz4-napi"), zstd = require("@bokuweb/zstd-wasm");
const codec = (compress, decompress) => () => ({
  compress: async encoder => Buffer.from(await compress(encoder.buffer)),
  decompress: async buffer => Buffer.from(await decompress(buffer)),
});
// Kafka's snappy stands in the frames of the Java library; a bare block is taken as well.
const XERIAL = Buffer.from([130, 83, 78, 65, 80, 80, 89, 0]);
function unsnappy(buffer) {
  if (!buffer.subarray(0, 8).equals(XERIAL)) return snappy.uncompress(buffer);
  const blocks = [];
  for (let at = 16; at < buffer.length;) {
    const size = buffer.readInt32BE(at);
    blocks.push(snappy.uncompress(buffer.subarray(at + 4, at + 4 + size)));
    at += 4 + size;
  }
  return Buffer.concat(blocks);
}
CompressionCodecs[CompressionTypes.Snappy] = codec(snappy.compress, unsnappy);
CompressionCodecs[CompressionTypes.LZ4] = codec(lz4.compressFrame, lz4.decompressFrame);
CompressionCodecs[CompressionTypes.ZSTD] = codec(async b => (await zstd.init(), zstd.compress(b)), async b => (await zstd.init(), zstd.decompress(b)));

const kafka = run => new Kafka({ brokers: [run.address], clientId: "the-client", logLevel: logLevel.NOTHING, retry: { initialRetryTime: 100 } });

async function using(client, act) {
  await client.connect();
  try { return await act(client); } finally { await client.disconnect(); }
}
const admin = (run, act) => using(kafka(run).admin(), act);
const producer = (run, act, settings) => using(kafka(run).producer({ createPartitioner: Partitioners.DefaultPartitioner, ...settings }), act);

async function create(run, what = "t", partitions = 1, settings = {}) {
  const topic = run.name(what);
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value: String(value) }));
  await admin(run, a => a.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1, configEntries }] }));
  return topic;
}

const send = (run, topic, messages, settings = {}) => producer(run, p => p.send({ topic, messages, ...settings }), settings);

/** A member of a group that notes what it reads and holds. */
async function member(run, topic, { group = "group", fromBeginning = true, ...settings } = {}) {
  const consumer = kafka(run).consumer({ groupId: run.name(group), sessionTimeout: 6000, heartbeatInterval: 300, rebalanceTimeout: 10000, maxWaitTimeInMs: 200, ...settings });
  const one = { consumer, seen: [], held: [], stop: () => consumer.disconnect() };
  consumer.on(consumer.events.GROUP_JOIN, event => { one.held = event.payload.memberAssignment[topic] || []; });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning });
  await consumer.run({ autoCommit: false, eachMessage: async ({ partition, message }) => { one.seen.push({ partition, ...message }); } });
  return one;
}

async function consume(run, topic, count, settings = {}) {
  const one = await member(run, topic, { group: `reader-${Math.random()}`, ...settings });
  try {
    await until(`${count} messages`, () => one.seen.length >= count, 20);
    await sleep(count ? 200 : 2000);
    equal(one.seen.length, count, "the number of messages");
    return one.seen;
  } finally { await one.stop(); }
}

const texts = messages => messages.map(m => m.value && m.value.toString());
const numbers = count => Array.from({ length: count }, (_, n) => String(n));

async function roundTrip(run, topic, values, settings) {
  await send(run, topic, values.map(value => ({ value })), settings);
  equal(texts(await consume(run, topic, values.length)), values, "what was read");
}

cases.set("metadata", async run => {
  const topic = await create(run, "t", 3);
  const found = (await admin(run, a => a.fetchTopicMetadata({ topics: [topic] }))).topics[0];
  equal(found.partitions.map(p => p.partitionId).sort(), [0, 1, 2], "the partitions");
  equal(found.partitions.filter(p => p.leader < 0), [], "the partitions without a leader");
});

cases.set("create-topic", async run => {
  await create(run, "t", 2, { "retention.ms": 60000 });
  await admin(run, async a => equal(await a.createTopics({ topics: [{ topic: run.name("t") }] }), false, "whether it was created again"));
  await refused(() => create(run, "bad", 1, { "retention.ms": "soon" }), "INVALID_CONFIG", "onfiguration is invalid");
});

cases.set("delete-topic", async run => {
  const topic = await create(run);
  await admin(run, async a => {
    await a.deleteTopics({ topics: [topic] });
    await until("the topic to go", async () => !(await a.listTopics()).includes(topic), 10);
    await refused(() => a.deleteTopics({ topics: [topic] }), "UNKNOWN_TOPIC_OR_PARTITION");
  });
});

cases.set("create-partitions", async run => {
  const topic = await create(run);
  await admin(run, async a => {
    await a.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    await until("three partitions", async () => (await a.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length === 3);
  });
});

async function configs(a, topic) {
  const answer = await a.describeConfigs({ includeSynonyms: false, resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }] });
  return Object.fromEntries(answer.resources[0].configEntries.map(entry => [entry.configName, entry.configValue]));
}

cases.set("describe-configs", async run => {
  const topic = await create(run, "t", 1, { "retention.ms": 60000 });
  const found = await admin(run, a => configs(a, topic));
  equal([found["retention.ms"], found["cleanup.policy"]], ["60000", "delete"], "the settings");
});

cases.set("alter-configs", async run => {
  const topic = await create(run, "t", 1, { "retention.ms": 60000 });
  const resource = { type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name: "segment.bytes", value: "1048576" }] };
  await admin(run, async a => {
    await a.alterConfigs({ validateOnly: false, resources: [resource] });
    await until("both settings to be altered", async () => {
      const found = await configs(a, topic);
      return found["segment.bytes"] === "1048576" && found["retention.ms"] === "604800000";
    }, 10);
  });
});

cases.set("unknown-topic", run => admin(run, a => refused(() => a.fetchTopicOffsets(run.name("nowhere")), "UNKNOWN_TOPIC_OR_PARTITION")));

cases.set("delete-records", async run => {
  const topic = await create(run);
  await roundTrip(run, topic, numbers(10));
  await admin(run, async a => {
    await a.fetchTopicOffsets(topic); // the client looks for leaders only in what it has asked for before
    await a.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "6" }] });
  });
  equal(texts(await consume(run, topic, 4)), ["6", "7", "8", "9"], "what remains");
});

for (const [name, compression] of [["none", "None"], ["gzip", "GZIP"], ["snappy", "Snappy"], ["lz4", "LZ4"], ["zstd", "ZSTD"]]) {
  cases.set(`codec-${name}`, async run => {
    const values = numbers(200).map(n => `${n} ${"abcdefgh".repeat(n * n % 97)}`);
    await roundTrip(run, await create(run), values, { compression: CompressionTypes[compression] });
  });
}

cases.set("record-fields", async run => {
  const topic = await create(run);
  await send(run, topic, [{ key: "k", value: "v", timestamp: String(START_MS), headers: { a: ["1", "2"], empty: "" } }]);
  const [found] = await consume(run, topic, 1);
  equal([found.key.toString(), texts([found])[0], found.timestamp], ["k", "v", String(START_MS)], "the record");
  equal([found.headers.a.map(String), String(found.headers.empty)], [["1", "2"], ""], "the headers");
});

cases.set("tombstones", async run => {
  const topic = await create(run, "t", 1, { "cleanup.policy": "compact" });
  await send(run, topic, [{ key: "k", value: null }, { key: "k", value: "" }]);
  equal(texts(await consume(run, topic, 2)).map(v => v === null ? "null" : v || "empty"), ["null", "empty"], "the values");
});

for (const [name, acks] of [["0", 0], ["1", 1], ["all", -1]]) {
  cases.set(`acks-${name}`, async run => roundTrip(run, await create(run), numbers(50), { acks }));
}

cases.set("idempotent", async run => {
  const topic = await create(run);
  await producer(run, async p => { for (const value of numbers(50)) await p.send({ topic, messages: [{ value }] }); }, { idempotent: true });
  equal(texts(await consume(run, topic, 50)), numbers(50), "what was read");
});

cases.set("big-message", async run => roundTrip(run, await create(run), ["0123456789".repeat(90000)]));

cases.set("too-large", async run => {
  const topic = await create(run, "t", 1, { "max.message.bytes": 10000 });
  await refused(() => send(run, topic, [{ value: "x".repeat(20000) }]), "MESSAGE_TOO_LARGE");
  await roundTrip(run, topic, ["small"]);
});

cases.set("compacted-without-key", async run => {
  const topic = await create(run, "t", 1, { "cleanup.policy": "compact" });
  await refused(() => send(run, topic, [{ value: "v" }]), "INVALID_RECORD", "87");
});

cases.set("offsets-for-times", async run => {
  const topic = await create(run);
  await send(run, topic, numbers(10).map(n => ({ value: "v", timestamp: String(START_MS + n * 1000) })));
  const found = await admin(run, a => Promise.all([0, 4001, 9000, 9001].map(ms => a.fetchTopicOffsetsByTimestamp(topic, START_MS + ms))));
  equal(found.map(at => at[0].offset), ["0", "5", "9", "10"], "the offsets, the end when there is none");
});

cases.set("list-offsets", async run => {
  const topic = await create(run);
  await roundTrip(run, topic, numbers(3));
  const [found] = await admin(run, a => a.fetchTopicOffsets(topic));
  equal([found.low, found.high], ["0", "3"], "the earliest and the latest");
});

cases.set("seek", async run => {
  const topic = await create(run);
  await send(run, topic, numbers(10).map(value => ({ value })));
  const one = await member(run, topic);
  try {
    for (const offset of [4, 0, 9]) {
      one.seen.length = 0;
      one.consumer.seek({ topic, partition: 0, offset: String(offset) });
      await until(`offset ${offset} to come first`, () => one.seen.some((m, n) => +m.offset === offset && (n === 0 || +one.seen[n - 1].offset !== offset - 1)));
      await sleep(100);
    }
  } finally { await one.stop(); }
});

cases.set("offset-reset", async run => {
  const topic = await create(run);
  await roundTrip(run, topic, ["old"]);
  const [earliest, latest] = [await member(run, topic, { group: "e" }), await member(run, topic, { group: "l", fromBeginning: false })];
  try {
    await until("the old message", () => earliest.seen.length === 1);
    await until("both to be in their groups", () => latest.held.length === 1);
    await sleep(1000);
    await send(run, topic, [{ value: "new" }]);
    await until("the new message", () => latest.seen.length === 1);
    equal(texts(latest.seen), ["new"], "what the latest reads");
  } finally { await earliest.stop(); await latest.stop(); }
});

module.exports = { admin, consume, create, kafka, member, numbers, send, texts };
require("./groups");
main();
