// Program load sends OTLP trace requests and counts the spans that come out of the other side of
// what it measures. It knows nothing of protobuf but tags and lengths, so it costs little.
//
// It prints the ports of its two sinks, then answers one line of JSON for each that it reads.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("load: ")
	out := json.NewEncoder(os.Stdout)
	sink := &Sink{}
	ports, err := sink.Listen()
	if err != nil {
		log.Fatal(err)
	}
	_ = out.Encode(ports)
	driver := NewDriver(sink)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var order Order
		if err := json.Unmarshal(lines.Bytes(), &order); err != nil {
			log.Fatalf("%s: %v", lines.Bytes(), err)
		}
		report, err := driver.Run(order)
		if err != nil {
			log.Fatal(err)
		}
		_ = out.Encode(report)
	}
}
