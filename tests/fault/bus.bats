# Programs on a bus, whose calls fail one by one: tests/fault/table has the cases, tests/fault/run the rules

load fault
load ../nats

setup() {
	lib_setup
	have_nats
}

@test "bus: each call of its own fails once, and some of libraries; the disk and the reader are full at each byte" { faults bus; }
