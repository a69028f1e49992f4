//go:build v119

package main

import "github.com/IBM/sarama"

var (
	newestProtocol = sarama.V2_0_0_0
	v2_1           = unknown()
)

// unknown is later than all that this version speaks: cases of it are left out.
func unknown() sarama.KafkaVersion {
	version, err := sarama.ParseKafkaVersion("9.0.0")
	if err != nil {
		panic(err)
	}
	return version
}

func versionCases() []entry { return nil }
