# The recorder and the hub, whose calls fail one by one: tests/fault/table has the cases, tests/fault/run the rules

load fault

@test "recorder: each call of each kind fails once, and the disk is full at each byte" { faults record; }

@test "hub and tap: each call of each kind fails once" { faults hub; }
