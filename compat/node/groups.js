// kafkajs: groups, their administration, transactions, the cluster.
const { cases, equal, refused, until } = require("./harness");
const { admin, consume, create, kafka, member, numbers, send, texts } = require("./main");

const settled = (members, size) => () => {
  const all = members.flatMap(one => one.held);
  return members.every(one => one.held.length === size) && new Set(all).size === all.length;
};

cases.set("group-eager", async run => {
  const topic = await create(run, "t", 4);
  const first = await member(run, topic);
  try {
    await until("the first to have all", settled([first], 4));
    const second = await member(run, topic);
    try {
      await until("both to have half", settled([first, second], 2));
      await send(run, topic, numbers(40).map(n => ({ value: n, partition: n % 4 })));
      await until("all messages", () => first.seen.length + second.seen.length === 40);
    } finally { await second.stop(); }
    await until("the first to have all again", settled([first], 4));
  } finally { await first.stop(); }
});

const commit = (one, topic, offset, metadata) => one.consumer.commitOffsets([{ topic, partition: 0, offset, metadata }]);

cases.set("commit-resume", async run => {
  const topic = await create(run);
  await send(run, topic, numbers(4).map(value => ({ value })));
  for (const first of ["0", "2"]) {
    const one = await member(run, topic);
    try {
      await until("messages", () => one.seen.length > 0);
      equal(texts(one.seen)[0], first, "the first that was read");
      await commit(one, topic, "2");
    } finally { await one.stop(); }
  }
});

async function used(run) {
  const topic = await create(run);
  const one = await member(run, topic);
  try {
    await until("the member to be in its group", settled([one], 1));
    await commit(one, topic, "7", "by hand");
  } finally { await one.stop(); }
  return topic;
}

const offsets = (run, topic) => admin(run, async a => (await a.fetchOffsets({ groupId: run.name("group"), topics: [topic] }))[0].partitions
  .map(p => [p.partition, p.offset, p.metadata]));

cases.set("manual-commit", async run => {
  const topic = await used(run);
  equal(await offsets(run, topic), [[0, "7", "by hand"]], "what was committed");
});

cases.set("groups-list", async run => {
  await used(run);
  equal((await admin(run, a => a.listGroups())).groups.filter(g => g.groupId === run.name("group")).length, 1, "how often it is listed");
});

cases.set("groups-describe", async run => {
  const topic = await create(run, "t", 4);
  const one = await member(run, topic);
  try {
    await until("the member to be in its group", settled([one], 4));
    const found = (await admin(run, a => a.describeGroups([run.name("group")]))).groups[0];
    equal([found.state, found.protocolType, found.protocol], ["Stable", "consumer", "RoundRobinAssigner"], "the group");
    equal(found.members.map(m => m.clientId), ["the-client"], "the members");
  } finally { await one.stop(); }
});

cases.set("groups-delete", async run => {
  await used(run);
  await admin(run, async a => {
    equal((await a.deleteGroups([run.name("group")]))[0].errorCode, 0, "the error");
    await refused(() => a.deleteGroups([run.name("group")]), "GROUP_ID_NOT_FOUND");
  });
});

cases.set("groups-alter-offsets", async run => {
  const topic = await used(run);
  await admin(run, a => a.setOffsets({ groupId: run.name("group"), topic, partitions: [{ partition: 0, offset: "9" }] }));
  equal((await offsets(run, topic))[0][1], "9", "the offset");
});

async function transactional(run, act) {
  const producer = kafka(run).producer({ transactionalId: run.name("txn"), maxInFlightRequests: 1, idempotent: true, transactionTimeout: 20000 });
  await producer.connect();
  try { return await act(producer); } finally { await producer.disconnect(); }
}

cases.set("txn-commit", async run => {
  const [one, two] = [await create(run, "one"), await create(run, "two")];
  await transactional(run, async producer => {
    const transaction = await producer.transaction();
    for (const topic of [one, two]) await transaction.send({ topic, messages: [{ value: "in" }] });
    await consume(run, one, 0);
    await consume(run, one, 1, { readUncommitted: true });
    await transaction.commit();
  });
  for (const topic of [one, two]) equal(texts(await consume(run, topic, 1)), ["in"], "what was read after the commit");
});

cases.set("txn-abort", async run => {
  const topic = await create(run);
  await transactional(run, async producer => {
    const aborted = await producer.transaction();
    await aborted.send({ topic, messages: [{ value: "aborted" }] });
    await aborted.abort();
    const committed = await producer.transaction();
    await committed.send({ topic, messages: [{ value: "committed" }] });
    await committed.commit();
  });
  equal(texts(await consume(run, topic, 1)), ["committed"], "what is committed");
  equal(texts(await consume(run, topic, 2, { readUncommitted: true })), ["aborted", "committed"], "what is not");
});

cases.set("txn-offsets", async run => {
  const topic = await create(run);
  await transactional(run, async producer => {
    for (const [offset, end] of [["4", "commit"], ["8", "abort"]]) {
      const transaction = await producer.transaction();
      await transaction.sendOffsets({ consumerGroupId: run.name("group"), topics: [{ topic, partitions: [{ partition: 0, offset }] }] });
      await transaction[end]();
      equal((await offsets(run, topic))[0][1], "4", "the committed offset");
    }
  });
});

cases.set("txn-fencing", async run => {
  const topic = await create(run);
  await transactional(run, async zombie => {
    const open = await zombie.transaction();
    await open.send({ topic, messages: [{ value: "zombie" }] });
    await transactional(run, async heir => {
      const next = await heir.transaction();
      await refused(() => open.commit(), "INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED", "old epoch");
      await next.send({ topic, messages: [{ value: "heir" }] });
      await next.commit();
    });
  });
  equal(texts(await consume(run, topic, 1)), ["heir"], "what is committed");
});

cases.set("describe-cluster", async run => {
  const found = await admin(run, a => a.describeCluster());
  equal(found.brokers.map(b => `${b.host}:${b.port}`), [run.address], "the nodes");
  equal([found.controller, typeof found.clusterId], [found.brokers[0].nodeId, "string"], "the controller and the id");
});
