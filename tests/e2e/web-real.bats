# The page in a browser, at the end of the real pipeline: tests/web/real.test.mjs.
load ../lib
load ../web/suite

setup_file() { browser_tests real; }

@test "live: green within 3 s of opening, top right" { told; }
@test "SOL is shown for SOLUSDT, and its price moves" { told; }
@test "several symbols stand side by side, each with its age" { told; }
@test "positions and trades fill the tables" { told; }
@test "equity, a position and a trade have the digits that came, all of them" { told; }
@test "the chart draws the curve" { told; }
@test "a page that is opened late is live within 3 s, with history, the curve, positions and trades" { told; }
@test "the exchange is killed: the page is told, and prices come again" { told; }
@test "the hub is killed: the page goes on with the next one" { told; }
@test "websocketd is killed: a banner, a countdown, and live again" { told; }
@test "the server is away: banner, reason, countdown, old values in grey; back within the backoff" { told; }
@test "nothing comes from another host, and the headers are those that the other tests are served with" { told; }
@test "over a quarter of a minute and all of that the console stays clean" { told; }
@test "demo: marked in words, picture and title, and never green" { told; }
@test "another exchange than the real one is never green, and stale within 7 s when it falls silent" { told; }
@test "a recording: marked, never green, and when it has ended it is not asked for again" { told; }
@test "every test of this suite stands here" { all_told; }
