# The page in a browser, with a server that does what a test wants: tests/web/feed.test.mjs.
load ../lib
load ../web/suite

setup_file() { browser_tests feed; }

@test "a server that takes connections and hangs up at once is not hammered: at most 6 in 10 s" { told; }
@test "nor is one that says why before it hangs up, and the reason is shown" { told; }
@test "a server that falls silent: stale within 7 s, not green; given up when heartbeats are missing" { told; }
@test "heartbeats without prices: stale within 7 s, and the connection is kept" { told; }
@test "one price of several is not renewed: it is marked as old, the others are not" { told; }
@test "a server that is killed: countdown, and back within the backoff" { told; }
@test "it does not wait when the browser is online again, the tab in front, or somebody asks" { told; }
@test "a recording that ends is not asked for again, unless by hand" { told; }
@test "a connection that is neither taken nor refused is given up" { told; }
@test "the kinds of source: only one that says live is green" { told; }
@test "a position, a trade and equity with all the digits that there can be" { told; }
@test "what is no record is counted and changes nothing; types that are not known pass" { told; }
@test "markup in names and sentences is text" { told; }
@test "times out of order, twice, or of another unit never throw" { told; }
@test "a recording that begins again begins the chart again" { told; }
@test "the feed falls behind: the delay is shown, and it is not live" { told; }
@test "several records in one frame, gaps and reconnects behind the server are counted" { told; }
@test "what was closed while nobody listened is not held; trades and the curve are not there twice" { told; }
@test "the chart fails when it is made: a fallback says so, all else lives, and to try again works" { told; }
@test "the chart fails because there is no canvas: the same" { told; }
@test "the chart fails in an animation frame of its own: all else lives, and the console stays clean" { told; }
@test "the chart fails while it is given data: a fallback, and all else lives" { told; }
@test "every test of this suite stands here" { all_told; }
