# The page in a browser: how it looks, reads and is handled: tests/web/look.test.mjs. Its pictures are in
# $BUILD/screenshots; those of web/screenshots are copies of them, which they are compared with.
load ../lib
load ../web/suite

setup_file() { browser_tests look; }

@test "on a desk, dark: all in one view, each thing in its place, and there is a picture" { told; }
@test "on a desk, light: all in one view, each thing in its place, and there is a picture" { told; }
@test "a connection that is lost, and a chart that has failed, in pictures" { told; }
@test "on a phone, dark: one column, nothing to scroll sideways, and there is a picture" { told; }
@test "on a phone, light: one column, nothing to scroll sideways, and there is a picture" { told; }
@test "on a phone, nothing to scroll sideways with an empty page, long names, trouble or a dialog" { told; }
@test "what one can press is at least 24 pixels wide and high" { told; }
@test "dark: axe-core finds nothing serious, whatever state the page is in" { told; }
@test "light: axe-core finds nothing serious, whatever state the page is in" { told; }
@test "on a phone it finds nothing serious either" { told; }
@test "what moves, moves less for those who ask for it; direction is told by shape, too" { told; }
@test "names and roles are there for those who do not see it" { told; }
@test "ranges, filter, theme, palette, zone, pause, notices and help have keys; the list is right" { told; }
@test "times are UTC, or those of this machine, and it says which" { told; }
@test "Tab reaches everything, visibly, and positions are sorted without a mouse" { told; }
@test "the crosshair tells the exact value and when it was" { told; }
@test "another range is in the chart at once, also when nothing comes any more" { told; }
@test "CSV and PNG are saved, by a name that says what kind of data it is, with all digits" { told; }
@test "of thousands of trades only those in sight are in the document; a reader is left in peace" { told; }
@test "an empty page says what will appear, and gives a command to copy" { told; }
@test "every test of this suite stands here" { all_told; }
