// A producer and a consumer with sarama, the Go client of Kafka, unchanged against logagent's broker.
//
//	sarama produce -brokers localhost:9092 -topic web_log -compression lz4 < access.log
//	sarama consume -brokers localhost:9092 -topic web_log -count 1000
//
// The same source builds with the newest sarama (go build) and with 1.19 of 2018 (go build -modfile=v1.19.mod). With
// -version default the client speaks what its own configuration says: 1.19 then speaks the protocol of Kafka 0.8.2.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

var codecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionCodec(4),
}

func main() {
	if len(os.Args) < 2 || (os.Args[1] != "produce" && os.Args[1] != "consume") {
		fail("usage: sarama produce|consume [flags]")
	}
	flags := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	brokers := flags.String("brokers", "localhost:9092", "comma-separated addresses")
	topic := flags.String("topic", "web_log", "topic to use")
	version := flags.String("version", "1.0.0", "protocol version that the client speaks, or default for the client's own")
	codec := flags.String("compression", "none", "none, gzip, snappy, lz4 or zstd")
	count := flags.Int("count", 0, "consume: stop after so many messages")
	from := flags.String("from", "oldest", "consume: begin with the oldest message of each partition, or the newest")
	timeout := flags.Duration("timeout", time.Minute, "consume: give up after this long without a message")
	_ = flags.Parse(os.Args[2:])

	config := sarama.NewConfig()
	if *version != "default" {
		parsed, err := sarama.ParseKafkaVersion(*version)
		check(err)
		config.Version = parsed
	}
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Partitioner = sarama.NewRandomPartitioner
	config.Producer.Return.Successes = true
	compression, known := codecs[*codec]
	if !known {
		fail("unknown codec " + *codec)
	}
	config.Producer.Compression = compression

	addresses := strings.Split(*brokers, ",")
	if os.Args[1] == "produce" {
		produce(addresses, *topic, config)
		return
	}
	offset, known := map[string]int64{"oldest": sarama.OffsetOldest, "newest": sarama.OffsetNewest}[*from]
	if !known {
		fail("unknown beginning " + *from)
	}
	consume(addresses, *topic, config, offset, *count, *timeout)
}

// produce sends each line of standard input as one message and waits until all are acknowledged.
func produce(brokers []string, topic string, config *sarama.Config) {
	producer, err := sarama.NewAsyncProducer(brokers, config)
	check(err)
	sent := make(chan int)
	go func() {
		lines := 0
		input := bufio.NewScanner(os.Stdin)
		input.Buffer(make([]byte, 64*1024), 1024*1024)
		for input.Scan() {
			producer.Input() <- &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(input.Text())}
			lines++
		}
		check(input.Err())
		producer.AsyncClose()
		sent <- lines
	}()
	go func() {
		for failure := range producer.Errors() {
			fail(failure.Error())
		}
	}()
	acknowledged := 0
	for range producer.Successes() {
		acknowledged++
	}
	if lines := <-sent; lines != acknowledged {
		fail(fmt.Sprintf("sent %d, acknowledged %d", lines, acknowledged))
	}
	fmt.Fprintf(os.Stderr, "acknowledged %d\n", acknowledged)
}

// consume prints the messages of all partitions from an offset on, one a line. When it has found all partitions it says
// so on standard error: with sarama.OffsetNewest, what is produced from then on is printed.
func consume(brokers []string, topic string, config *sarama.Config, offset int64, count int, timeout time.Duration) {
	consumer, err := sarama.NewConsumer(brokers, config)
	check(err)
	partitions, err := consumer.Partitions(topic)
	check(err)
	messages := make(chan *sarama.ConsumerMessage)
	for _, partition := range partitions {
		reader, err := consumer.ConsumePartition(topic, partition, offset)
		check(err)
		go func() {
			for message := range reader.Messages() {
				messages <- message
			}
		}()
	}
	fmt.Fprintf(os.Stderr, "consuming %d partitions\n", len(partitions))
	output := bufio.NewWriter(os.Stdout)
	for seen := 0; count == 0 || seen < count; seen++ {
		select {
		case message := <-messages:
			output.Write(message.Value)
			output.WriteByte('\n')
		case <-time.After(timeout):
			output.Flush()
			fail(fmt.Sprintf("no message for %s after %d", timeout, seen))
		}
	}
	check(output.Flush())
}

func check(err error) {
	if err != nil {
		fail(err.Error())
	}
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, "sarama: "+why)
	os.Exit(1)
}
