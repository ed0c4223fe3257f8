load ../lib
load ../nats
bats_require_minimum_version 1.5.0

# Pipelines of bnc(7) that lead to engines of others, as far as those are here.

setup() {
	lib_setup
	have_nats
}

@test "kcat: what is on the bus goes to a topic of Kafka, byte for byte and in order" {
	command -v kcat >/dev/null || skip "kcat is not installed"
	start_nats
	trades 1 2000 3 | pub --stream bnc
	# librdkafka's own broker, which lives as long as this producer
	mkfifo kafka.in
	STDIN=kafka.in start kafka kcat -P -b none:1 -X test.mock.num.brokers=1 -d mock -X acks=all -X enable.idempotence=true -t frames -p 0
	exec 5>kafka.in
	soon grep -q '127.0.0.1:' kafka.err
	sub --from all --end 'bnc.>' >&5
	local broker
	broker=$(grep -o '127.0.0.1:[0-9]*' kafka.err | head -n 1)
	there() {
		kcat -C -b "$broker" -t frames -o beginning -e -q >out 2>/dev/null
		# what is left of a block of its input waits for the end
		(($(wc -l <out) >= 1950))
	}
	soon there
	sub --from all --end 'bnc.>' | head -n "$(wc -l <out)" | cmp - out
	exec 5>&-
	wait_end kafka 10
}
