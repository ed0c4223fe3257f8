# Programs with connections, whose calls fail one by one: tests/fault/table has the cases, tests/fault/run the rules

load fault

@test "stream: each call of its own fails once, and some of libraries" { faults stream; }

@test "account: each call of its own fails once, and some of libraries" { faults account; }
