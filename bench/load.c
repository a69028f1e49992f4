// Load for the brokers' benchmarks, by librdkafka: load create|produce|consume|latency|count NAME=VALUE …
//
//   create   the topics, a hundred in a request
//   produce  count values of `size` bytes, `rate` a second (0: as fast as it goes); count=0: until SIGTERM
//   consume  count values of all partitions from the beginning, or as a member of `group`; count=0: until SIGTERM
//   latency  count values at `rate`, each timed from its turn to its acknowledgement and to a consumer beside it
//   count    how many records the partitions hold
//
// topics=N means N topics of that name and a number. Names that are not in `usage` are librdkafka's settings. The last line on
// stdout is the result as JSON; create, produce, consume fail (exit 1) unless everything was acknowledged or has arrived.
//
// A value is a cut of nginx lines behind a sequence number. The checksum is the sum of the values' hashes: it does not
// depend on the order, and damaged, missing and doubled values change it.
#include <dirent.h>
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define SECOND 1000000000LL
#define POOL (4 << 20)
#define BATCH 256

static const char *brokers = "127.0.0.1:9092", *name = "load", *group;
static long topics = 1, partitions = 4, count, size = 200, rate, first;
static rd_kafka_conf_t *conf;
static rd_kafka_topic_t **handles;
static char *pool;
static volatile sig_atomic_t stopped;
static atomic_long acknowledged, failed;
static long received;
static uint64_t sent_sum, received_sum;
static int64_t began, began_cpu, ended, *due;
static uint32_t *acknowledged_us, *received_us;

static _Noreturn void fail(const char *format, ...) {
  va_list values;
  va_start(values, format);
  fputs("load: ", stderr);
  vfprintf(stderr, format, values);
  fputc('\n', stderr);
  exit(1);
}

static int64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * SECOND + at.tv_nsec;
}

static int64_t cpu(void) {
  struct timespec used;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return used.tv_sec * SECOND + used.tv_nsec;
}

static void begin(void) { began = now(), began_cpu = cpu(); }

// Nanoseconds of CPU of the thread that has used most. One that uses as much as passes is what limits the rate.
static int64_t busiest_thread(void) {
  DIR *tasks = opendir("/proc/self/task");
  int64_t most = 0, used;
  for (struct dirent *task; tasks && (task = readdir(tasks));) {
    char path[300];
    snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", task->d_name);
    FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
    if (file && fscanf(file, "%" SCNd64, &used) == 1 && used > most) most = used;
    if (file) fclose(file);
  }
  if (tasks) closedir(tasks);
  return most;
}

static void print_transferred(long messages, int64_t until, uint64_t sum) {
  double cpu_s = (double)(cpu() - began_cpu) / SECOND, busiest_s = (double)busiest_thread() / SECOND;
  printf("{\"messages\": %ld, \"seconds\": %.6f, \"checksum\": \"%016" PRIx64 "\", \"cpu_s\": %.6f, \"busiest_thread_s\": %.6f}\n", messages,
         (double)(until - began) / SECOND, sum, cpu_s, busiest_s);
}

static void sleep_until(int64_t at) {
  struct timespec until = {at / SECOND, at % SECOND};
  while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL)) {}
}

static void stop(int number) { (void)number, stopped = 1; }

static uint64_t mix(uint64_t hash, const char *word) {
  uint64_t value;
  memcpy(&value, word, 8);
  hash = (hash ^ value) * 0x9E3779B97F4A7C15;
  return hash ^ hash >> 32;
}

// Four words at a time, so that it costs little beside the client's own work.
static uint64_t hash(const char *data, size_t length) {
  uint64_t lanes[4] = {length, 1, 2, 3}, all = 0;
  char rest[8] = {0};
  for (; length >= 32; data += 32, length -= 32)
    for (int i = 0; i < 4; i++) lanes[i] = mix(lanes[i], data + 8 * i);
  for (; length >= 8; data += 8, length -= 8) lanes[0] = mix(lanes[0], data);
  memcpy(rest, data, length);
  lanes[0] = mix(lanes[0], rest);
  for (int i = 0; i < 4; i++) all = mix(all, (char *)&lanes[i]);
  return all;
}

static void fill_pool(void) {
  const char *paths[] = {"/", "/login", "/api/orders/%u", "/images/%u.png", "/search?q=term%u&page=2"};
  uint32_t dice = 1;
  char path[64], line[512];
  pool = malloc(POOL);
  for (int used = 0; used < POOL;) {
    dice = dice * 1664525 + 1013904223;
    uint32_t a = dice >> 8, b = (dice = dice * 1664525 + 1013904223) >> 8;
    snprintf(path, sizeof path, paths[a % 5], b % 100000);
    int length = snprintf(line, sizeof line, "%u.%u.%u.%u - - [21/Nov/2026:10:%02u:%02u +0000] \"GET %s HTTP/1.1\" %u %u \"-\" "
                          "\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36\"\n",
                          a % 223 + 1, a >> 8 & 255, b & 255, b >> 8 & 255, a % 60, b % 60, path, b % 20 ? 200 : 404, a % 90000);
    if (length > POOL - used) length = POOL - used;
    memcpy(pool + used, line, length);
    used += length;
  }
}

static void set(rd_kafka_conf_t *into, const char *key, const char *value) {
  char error[256];
  if (rd_kafka_conf_set(into, key, value, error, sizeof error) != RD_KAFKA_CONF_OK) fail("%s", error);
}

static rd_kafka_t *client(rd_kafka_type_t type) {
  char error[256];
  rd_kafka_t *rk = rd_kafka_new(type, rd_kafka_conf_dup(conf), error, sizeof error);
  if (!rk) fail("%s", error);
  return rk;
}

static const char *topic(long number) {
  static char text[256];
  snprintf(text, sizeof text, topics == 1 ? "%s" : "%s-%ld", name, number);
  return text;
}

// Connected, and the leaders known: this is not part of what is measured.
static void open_topics(rd_kafka_t *rk) {
  const struct rd_kafka_metadata *metadata;
  handles = calloc(topics, sizeof *handles);
  for (long t = 0; t < topics; t++) handles[t] = rd_kafka_topic_new(rk, topic(t), NULL);
  rd_kafka_resp_err_t error = rd_kafka_metadata(rk, 0, NULL, &metadata, 60000);
  if (error) fail("metadata: %s", rd_kafka_err2str(error));
  rd_kafka_metadata_destroy(metadata);
}

static int create(void) {
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER);
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  char error[256];
  began = now();
  for (long done = 0; done < topics;) {
    rd_kafka_NewTopic_t *some[100];
    size_t n = 0, results;
    while (n < 100 && done < topics) some[n++] = rd_kafka_NewTopic_new(topic(done++), partitions, 1, error, sizeof error);
    rd_kafka_AdminOptions_t *options = rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    rd_kafka_AdminOptions_set_request_timeout(options, 300000, error, sizeof error);
    rd_kafka_AdminOptions_set_operation_timeout(options, 300000, error, sizeof error);
    rd_kafka_CreateTopics(rk, some, n, options, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, -1);
    if (rd_kafka_event_error(event)) fail("create: %s", rd_kafka_event_error_string(event));
    const rd_kafka_topic_result_t **each = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &results);
    for (size_t i = 0; i < results; i++)
      if (rd_kafka_topic_result_error(each[i]))
        fail("%s: %s", rd_kafka_topic_result_name(each[i]), rd_kafka_topic_result_error_string(each[i]));
    rd_kafka_event_destroy(event);
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy_array(some, n);
  }
  printf("{\"topics\": %ld, \"seconds\": %.6f}\n", topics, (double)(now() - began) / SECOND);
  return 0;
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque) {
  (void)rk, (void)opaque;
  if (message->err && !failed++) fprintf(stderr, "load: not delivered: %s\n", rd_kafka_err2str(message->err));
  if (!message->err && due) acknowledged_us[(uintptr_t)message->_private] = (now() - due[(uintptr_t)message->_private]) / 1000;
  if (!message->err) acknowledged++;
}

static char *next_value(long i) {
  char *value = pool + i % (POOL / size) * size;
  uint64_t sequence = first + i;
  memcpy(value, &sequence, sizeof sequence);
  sent_sum += hash(value, size);
  return value;
}

static void produce_one(rd_kafka_t *rk, long i) {
  // One topic: the client chooses, as it does for keyless messages; many: each partition in turn.
  int32_t partition = topics == 1 ? RD_KAFKA_PARTITION_UA : i / topics % partitions;
  char *value = next_value(i);
  while (rd_kafka_produce(handles[i % topics], partition, RD_KAFKA_MSG_F_COPY, value, size, NULL, 0, (void *)(uintptr_t)i)) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail("produce: %s", rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(rk, 10);
  }
}

// Values in one call, for which the client looks at the clock once: its own work shall not hide the broker's.
static void produce_batch(rd_kafka_t *rk, long i, int n) {
  rd_kafka_message_t batch[BATCH] = {0};
  for (int k = 0; k < n; k++) batch[k].payload = next_value(i + k), batch[k].len = size;
  while (rd_kafka_produce_batch(*handles, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, batch, n) < n) {
    int left = 0;
    for (int k = 0; k < n; k++) {
      if (!batch[k].err) continue;
      if (batch[k].err != RD_KAFKA_RESP_ERR__QUEUE_FULL) fail("produce: %s", rd_kafka_err2str(batch[k].err));
      batch[left++] = (rd_kafka_message_t){.payload = batch[k].payload, .len = size};
    }
    n = left;
    rd_kafka_poll(rk, 10);
  }
}

static int produce(void) {
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER);
  long sent = 0, step = rate > 1000 ? rate / 1000 : 1;
  fill_pool();
  open_topics(rk);
  begin();
  while (!stopped && (!count || sent < count)) {
    if (rate && sent % step == 0) sleep_until(began + sent * SECOND / rate);
    if (rate || topics > 1) {
      produce_one(rk, sent++);
    } else {
      int n = count && count - sent < BATCH ? count - sent : BATCH;
      produce_batch(rk, sent, n);
      sent += n;
    }
    if (sent % BATCH == 0) rd_kafka_poll(rk, 0);
  }
  while (rd_kafka_outq_len(rk)) rd_kafka_poll(rk, 100);
  print_transferred(acknowledged, now(), sent_sum);
  return failed || acknowledged != sent;
}

static void consumed(rd_kafka_message_t *message, void *opaque) {
  (void)opaque;
  if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || message->err == RD_KAFKA_RESP_ERR__TRANSPORT ||
      message->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  if (message->err) fail("consume: %s", rd_kafka_message_errstr(message));
  if (due) {
    uint64_t sequence;
    memcpy(&sequence, message->payload, sizeof sequence);
    if (message->len != (size_t)size || sequence >= (uint64_t)count || received_us[sequence]) fail("a wrong value was consumed");
    uint32_t us = (now() - due[sequence]) / 1000;
    received_us[sequence] = us ? us : 1;
  }
  if (!received++ && group) begin();
  received_sum += hash(message->payload, message->len);
}

static rd_kafka_queue_t *begin_consuming(rd_kafka_t *rk) {
  if (group) {
    rd_kafka_topic_partition_list_t *wanted = rd_kafka_topic_partition_list_new(1);
    rd_kafka_poll_set_consumer(rk);
    for (long t = 0; t < topics; t++) rd_kafka_topic_partition_list_add(wanted, topic(t), RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(rk, wanted);
    if (error) fail("subscribe: %s", rd_kafka_err2str(error));
    rd_kafka_topic_partition_list_destroy(wanted);
    return rd_kafka_queue_get_consumer(rk);
  }
  rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
  open_topics(rk);
  begin();
  for (long i = 0; i < topics * partitions; i++)
    if (rd_kafka_consume_start_queue(handles[i / partitions], i % partitions, RD_KAFKA_OFFSET_BEGINNING, queue))
      fail("consume: %s", rd_kafka_err2str(rd_kafka_last_error()));
  return queue;
}

static int consume(void) {
  if (group) set(conf, "group.id", group);
  set(conf, "auto.offset.reset", "earliest");
  rd_kafka_t *rk = client(RD_KAFKA_CONSUMER);
  rd_kafka_queue_t *queue = begin_consuming(rk);
  int64_t told = ended = now(), low, high, held = 0;
  while (!stopped && (!count || received < count)) {
    int served = rd_kafka_consume_callback_queue(queue, 100, consumed, NULL);
    if (served < 0) fail("consume: %s", rd_kafka_err2str(rd_kafka_last_error()));
    if (served > 0) ended = now();
    if (count && now() - ended > 60 * SECOND) fail("nothing for a minute after %ld of %ld", received, count);
    if (!count && now() - told > SECOND / 5) told = now(), printf("{\"messages\": %ld}\n", received), fflush(stdout);
  }
  // What the last answers said of the partitions' ends: there must not be more than was asked for either.
  for (long i = 0; !group && i < topics * partitions; i++)
    if (!rd_kafka_get_watermark_offsets(rk, rd_kafka_topic_name(handles[i / partitions]), i % partitions, &low, &high) && high > 0)
      held += high;
  print_transferred(received, ended, received_sum);
  if (group) rd_kafka_consumer_close(rk);
  if (count && (received != count || (!group && held != count)))
    fail("%ld received, %" PRId64 " held, %ld wanted", received, held, count);
  return 0;
}

static void *poll_deliveries(void *rk) {
  while (acknowledged + failed < count) rd_kafka_poll(rk, 100);
  return NULL;
}

static void *poll_consumer(void *queue) {
  while (received < count) rd_kafka_consume_callback_queue(queue, 100, consumed, NULL);
  return NULL;
}

static int ascending(const void *a, const void *b) {
  uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
  return left < right ? -1 : left > right;
}

static void print_percentiles(const char *what, uint32_t *us, long n) {
  qsort(us, n, sizeof *us, ascending);
  printf("\"%s\": {\"p50\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f, \"max\": %.3f}", what, us[n / 2] / 1e3, us[n * 99 / 100] / 1e3,
         us[n * 999 / 1000] / 1e3, us[n - 1] / 1e3);
}

// A message's time begins when it was due, also when the client could not send it then: waiting is not left out.
static int latency(void) {
  rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER), *producer = client(RD_KAFKA_PRODUCER);
  pthread_t deliveries, consuming;
  long skip = rate < count / 2 ? rate : count / 2;
  acknowledged_us = calloc(count, sizeof *acknowledged_us), received_us = calloc(count, sizeof *received_us);
  int64_t *turns = calloc(count, sizeof *turns);
  fill_pool();
  rd_kafka_queue_t *queue = begin_consuming(consumer);
  open_topics(producer);
  prctl(PR_SET_TIMERSLACK, 1);
  began = now() + SECOND / 2;
  for (long i = 0; i < count; i++) turns[i] = began + i * SECOND / rate;
  due = turns;
  pthread_create(&deliveries, NULL, poll_deliveries, producer);
  pthread_create(&consuming, NULL, poll_consumer, queue);
  for (long i = 0; i < count; i++) sleep_until(turns[i]), produce_one(producer, i);
  double seconds = (double)(now() - began) / SECOND;
  pthread_join(deliveries, NULL);
  if (failed) fail("%ld were not delivered", failed);
  pthread_join(consuming, NULL);
  printf("{\"messages\": %ld, \"rate\": %.0f, ", count, count / seconds);
  print_percentiles("acknowledged", acknowledged_us + skip, count - skip);
  printf(", ");
  print_percentiles("consumed", received_us + skip, count - skip);
  printf("}\n");
  return 0;
}

static int count_held(void) {
  rd_kafka_t *rk = client(RD_KAFKA_PRODUCER);
  int64_t low, high, held = 0;
  for (long i = 0; i < topics * partitions; i++) {
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(rk, topic(i / partitions), i % partitions, &low, &high, 60000);
    if (error) fail("offsets: %s", rd_kafka_err2str(error));
    held += high - low;
  }
  printf("{\"messages\": %" PRId64 "}\n", held);
  return 0;
}

int main(int argc, char **argv) {
  const char *usage = "load create|produce|consume|latency|count brokers= topic= topics= partitions= count= size= rate= first= group=";
  struct { const char *key; const char **text; long *number; } own[] = {
    {"brokers", &brokers, 0}, {"topic", &name, 0}, {"group", &group, 0}, {"topics", 0, &topics}, {"partitions", 0, &partitions},
    {"count", 0, &count}, {"size", 0, &size}, {"rate", 0, &rate}, {"first", 0, &first}};
  struct { const char *mode; int (*run)(void); } modes[] = {
    {"create", create}, {"produce", produce}, {"consume", consume}, {"latency", latency}, {"count", count_held}};
  conf = rd_kafka_conf_new();
  set(conf, "queue.buffering.max.messages", "500000");
  set(conf, "queued.min.messages", "1000000");
  set(conf, "reconnect.backoff.ms", "10");
  set(conf, "log_level", "3");
  rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  signal(SIGTERM, stop);
  for (int i = 2; i < argc; i++) {
    char *value = strchr(argv[i], '=');
    size_t known = 0;
    if (!value) fail("%s", usage);
    *value++ = 0;
    for (; known < sizeof own / sizeof *own && strcmp(own[known].key, argv[i]); known++) {}
    if (known == sizeof own / sizeof *own) set(conf, argv[i], value);
    else if (own[known].text) *own[known].text = value;
    else *own[known].number = atol(value);
  }
  set(conf, "bootstrap.servers", brokers);
  if (size < 8 || size > POOL || topics < 1 || partitions < 1) fail("%s", usage);
  for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++)
    if (!strcmp(modes[i].mode, argv[1])) return modes[i].run();
  fail("%s", usage);
}
