# The page in a browser under load and for long: tests/web/load.test.mjs.
load ../lib
load ../web/suite

setup_file() { browser_tests load; }

@test "1,000 messages a second for 50 symbols: frames go on, and no delay builds up" { told; }
@test "a day of five lines a second, in half a minute: the heap stays level, and so does the document" { told; }
@test "every test of this suite stands here" { all_told; }
