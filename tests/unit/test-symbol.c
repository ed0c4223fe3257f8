/* lib/symbol: names taken apart by the guess, and by what an exchangeInfo answer says */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "symbol.h"

static void assert_base(const struct symbols *known, const char *pair, const char *base)
{
	struct span got = symbol_base(known, span_of(pair));

	if (!span_is(got, base))
		fail_msg("%s: %.*s instead of %s", pair, (int)got.n, got.p, base);
}

/* the exchange's own hard cases (its list of symbols of 2026-10) and every quote asset that is known */
static void the_longest_quote_asset_is_cut(void **state)
{
	static const char *const cases[][2] = {
		{ "SOLUSDT", "SOL" },
		{ "1000PEPEUSDT", "1000PEPE" },
		{ "1000000MOGUSDT", "1000000MOG" },
		{ "1MBABYDOGEUSDT", "1MBABYDOGE" },
		{ "0GUSDT", "0G" },
		{ "4USDT", "4" },
		{ "42USDT", "42" },
		{ "2ZUSDT", "2Z" },
		{ "BTCUSDT_261225", "BTC" },
		{ "BTCUSD_PERP", "BTC" },
		{ "BTCUSD_261225", "BTC" },
		{ "BTCUSDC", "BTC" },
		{ "BTCFDUSD", "BTC" },
		{ "BTCRLUSD", "BTC" },
		{ "BTCBUSD", "BTC" },
		{ "BTCTUSD", "BTC" },
		{ "BTCU", "BTC" },
		{ "BTCUSD1", "BTC" },
		{ "BTCUSD", "BTC" },
		{ "\xe5\xb8\x81\xe5\xae\x89\xe4\xba\xba\xe7\x94\x9fUSDT",
		    "\xe5\xb8\x81\xe5\xae\x89\xe4\xba\xba\xe7\x94\x9f" },
		{ "\xe7\x89\x9b\xe6\x9d\xa5"
		  "BNB",
		    "\xe7\x89\x9b\xe6\x9d\xa5" },
		{ "ETHBTC", "ETH" },
		{ "SOLETH", "SOL" },
		{ "XRPDOGE", "XRP" },
		{ "DOGEUSDT", "DOGE" },
		{ "USDTTRY", "USDT" },
		{ "FDUSDUSDT", "FDUSD" },
		{ "USDCUSDT", "USDC" },
		{ "UUSDT", "U" },
		{ "UUSD", "U" },
		/* a rest must remain; what nothing fits is left as it is */
		{ "USDT", "USDT" }, /* "USD" would leave a T that is no quote asset */
		{ "U", "U" },
		{ "BTC", "BTC" },
		{ "FDUSD", "FD" },
		{ "FOO", "FOO" },
		{ "solusdt", "solusdt" },
		{ "BTCUSDt", "BTCUSDt" },
		{ "\xe8\xbf\x99\xe6\x98\xaf\xe6\xb5\x8b\xe8\xaf\x95\xe5\xb8\x81"
		  "456",
		    "\xe8\xbf\x99\xe6\x98\xaf\xe6\xb5\x8b\xe8\xaf\x95\xe5\xb8\x81"
		    "456" },
		{ "FOO_PERP", "FOO" },
		{ "_PERP", "_PERP" },
		{ "_", "_" },
		{ "", "" },
	};
	static const char quotes[] =
	    "FDUSD RLUSD USDT USDC USD1 USDP BUSD TUSD USDS AEUR EURI BIDR IDRT BVND BKRW GYEN DOGE USD EUR GBP "
	    "TRY BRL ARS COP CZK MXN PLN RON RUB UAH ZAR JPY AUD NGN KZT AED IDR DAI PAX VAI UST BTC ETH BNB SOL "
	    "TRX XRP DOT U ";
	char pair[32];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_base(NULL, cases[i][0], cases[i][1]);
	for (const char *p = quotes; *p; p += strcspn(p, " ") + 1, n++) {
		snprintf(pair, sizeof pair, "#%.*s", (int)strcspn(p, " "), p);
		assert_base(NULL, pair, "#");
		snprintf(pair, sizeof pair, "Z9%.*s_261225", (int)strcspn(p, " "), p);
		assert_base(NULL, pair, "Z9");
	}
	assert_int_equal(n, 49);
}

static void the_base_points_into_the_pair(void **state)
{
	struct span pair = SPAN("SOLUSDT and what stands behind");
	struct span base = symbol_base(NULL, (struct span){ pair.p, 7 });

	(void)state;
	assert_ptr_equal(base.p, pair.p);
	assert_int_equal(base.n, 3);
}

/* ------------------------------------------------------------------------------------------- the file */

static struct symbols *read_text(const void *text, size_t n, const char **why)
{
	char path[] = "/tmp/bnc-test-symbol.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(write(fd, text, n), (ssize_t)n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	*why = NULL;
	struct symbols *s = symbols_read(fd, why);
	close(fd);
	return s;
}

static void an_answer_is_read(void **state)
{
	static const char text[] =
	    "{\"timezone\":\"UTC\",\r\n \"rateLimits\":[{\"symbol\":\"no\",\"baseAsset\":\"no\"}],\n\"symbols\":[\n"
	    "{\"symbol\":\"XYZUSDT\",\"pair\":\"XYZUSDT\",\"baseAsset\":\"XYZUS\",\"quoteAsset\":\"DT\","
	    "\"filters\":[{\"symbol\":\"SOLUSDT\",\"baseAsset\":\"no\"}]},\n"
	    "{\"baseAsset\":\"\\u725b\",\"symbol\":\"\\u725bUSDT\"},"
	    "{\"symbol\":\"BTCUSD_PERP\",\"baseAsset\":\"BTC\",\"contractSize\":100},"
	    "{\"symbol\":\"ETHUSD_PERP\",\"baseAsset\":\"ETH\",\"contractSize\":10},"
	    "{\"symbol\":\"FRACUSD_PERP\",\"baseAsset\":\"FRAC\",\"contractSize\":0.5},"
	    "{\"symbol\":\"TWICE\",\"baseAsset\":\"A\"},{\"symbol\":\"TWICE\",\"baseAsset\":\"B\"},"
	    "{\"symbol\":\"\",\"baseAsset\":\"A\"},{\"symbol\":\"NOBASE\"},{\"symbol\":5,\"baseAsset\":\"A\"},"
	    "{\"symbol\":\"EMPTY\",\"baseAsset\":\"\"},null,5,[],{}\n]}\n";
	const char *why;
	struct symbols *s = read_text(text, sizeof text - 1, &why);

	(void)state;
	assert_non_null(s);
	assert_int_equal(symbols_count(s), 6);
	assert_base(s, "XYZUSDT", "XYZUS");
	assert_base(s, "\xe7\x89\x9bUSDT", "\xe7\x89\x9b");
	assert_base(s, "TWICE", "B");
	assert_base(s, "SOLUSDT", "SOL"); /* not listed: guessed */
	assert_base(s, "NOBASE", "NOBASE");
	assert_base(s, "EMPTY", "EMPTY");
	assert_base(s, "", "");
	assert_int_equal(symbols_contract_size(s, SPAN("BTCUSD_PERP")), 100);
	assert_int_equal(symbols_contract_size(s, SPAN("ETHUSD_PERP")), 10);
	assert_int_equal(symbols_contract_size(s, SPAN("FRACUSD_PERP")), 0);
	assert_int_equal(symbols_contract_size(s, SPAN("XYZUSDT")), 0);
	assert_int_equal(symbols_contract_size(s, SPAN("nowhere")), 0);
	symbols_free(s);
}

static void what_is_no_answer_is_refused(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "5", "null", "{}", "{\"symbols\":{}}", "{\"symbols\":[]}",
		"{\"symbols\":5}", "{\"symbols\":[{\"symbol\":\"A\"}]}",
		"{\"symbols\":[{\"symbol\":\"A\",\"baseAsset\":\"B\"}]", "\xef\xbb\xbf{\"symbols\":[]}",
		"{\"symbols\":[{\"symbol\":\"A\",\"baseAsset\":\"\xff\"}]}", "<html>451</html>",
		"{\"x\":{\"symbols\":[{\"symbol\":\"A\",\"baseAsset\":\"B\"}]}}" };
	const char *why;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_null(read_text(texts[i], strlen(texts[i]), &why));
		assert_true(why && *why);
	}
	assert_null(read_text("{\"symbols\":[]}\0", 15, &why)); /* a NUL behind */
	symbols_free(NULL);
	int fd = open("/", O_RDONLY | O_CLOEXEC);
	assert_null(symbols_read(fd, &why));
	assert_string_equal(why, "Is a directory");
	close(fd);
}

/* what could not stand in a record as it is, or makes it too long, is as if it were not listed */
static void bases_that_no_record_can_carry_are_left_out(void **state)
{
	char text[1024];
	const char *why;

	(void)state;
	for (size_t n = 127; n <= 129; n++) {
		int at = snprintf(text, sizeof text,
		    "{\"symbols\":[{\"symbol\":\"A\",\"baseAsset\":\"B\"},{\"symbol\":\"XUSDT\",\"baseAsset\":\"");
		memset(text + at, 'b', n);
		snprintf(text + at + n, sizeof text - (size_t)at - n, "\"}]}");
		struct symbols *s = read_text(text, strlen(text), &why);
		assert_non_null(s);
		assert_int_equal(symbol_base(s, SPAN("XUSDT")).n, n <= 128 ? n : 1);
		symbols_free(s);
	}
	static const char quoted[] =
	    "{\"symbols\":[{\"symbol\":\"A\",\"baseAsset\":\"B\"},{\"symbol\":\"XUSDT\",\"baseAsset\":\"B\\\"\"},"
	    "{\"symbol\":\"YUSDT\",\"baseAsset\":\"\\u0000\"},{\"symbol\":\"Z\\u0022USDT\",\"baseAsset\":\"B\"}]}";
	struct symbols *s = read_text(quoted, sizeof quoted - 1, &why);
	assert_non_null(s);
	assert_base(s, "A", "B");
	assert_base(s, "XUSDT", "X");
	assert_base(s, "YUSDT", "Y");
	symbols_free(s);
}

/* as many as the exchange has several times over, beyond the first allocation, and names that cannot be undone in place
 */
static void many_symbols(void **state)
{
	enum { N = 20000 };
	char *text = malloc(4u << 20), *p = text, pair[64], base[64];
	const char *why;

	(void)state;
	assert_non_null(text);
	p += snprintf(p, 64, "{\"symbols\":[");
	for (int i = 0; i < N; i++)
		p += snprintf(p, 192,
		    "%s{\"status\":\"%080d\",\"symbol\":\"S%dUSDT\",\"baseAsset\":\"B%d\",\"contractSize\":%d}",
		    i ? "," : "", i, i, i, i % 7);
	p += snprintf(p, 64, "]}");
	struct symbols *s = read_text(text, (size_t)(p - text), &why);
	assert_non_null(s);
	assert_int_equal(symbols_count(s), N);
	for (int i = 0; i < N; i++) {
		snprintf(pair, sizeof pair, "S%dUSDT", i);
		snprintf(base, sizeof base, "B%d", i);
		assert_base(s, pair, base);
		assert_int_equal(symbols_contract_size(s, span_of(pair)), i % 7);
	}
	assert_base(s, "S20000USDT", "S20000");
	symbols_free(s);
	free(text);
}

/* a pipe gives what it has: reads are short */
static void a_pipe_is_read_to_its_end(void **state)
{
	static const char text[] = "{\"symbols\":[{\"symbol\":\"XYZUSDT\",\"baseAsset\":\"XYZUS\"}]}";
	const char *why;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, sizeof text - 1), sizeof text - 1);
	close(ends[1]);
	struct symbols *s = symbols_read(ends[0], &why);
	close(ends[0]);
	assert_non_null(s);
	assert_base(s, "XYZUSDT", "XYZUS");
	symbols_free(s);
}

static void quotes_and_contracts(void **state)
{
	static const struct {
		const char *pair, *quote;
		unsigned contract;
	} cases[] = { { "SOLUSDT", "USDT", 10 }, { "BTCUSDT_261225", "USDT", 100 }, { "BTCUSD_PERP", "USD", 100 },
		{ "ETHBTC", "BTC", 10 }, { "NOSUCHXYZ", "", 10 }, { "USDT", "", 10 }, { "ADAUSD_PERP", "USD", 10 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_true(span_is(symbol_quote(span_of(cases[i].pair)), cases[i].quote));
		assert_int_equal(symbol_usual_contract(span_of(cases[i].pair)), cases[i].contract);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_quote_asset_is_cut),
		cmocka_unit_test(the_base_points_into_the_pair),
		cmocka_unit_test(an_answer_is_read),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(bases_that_no_record_can_carry_are_left_out),
		cmocka_unit_test(many_symbols),
		cmocka_unit_test(a_pipe_is_read_to_its_end),
		cmocka_unit_test(quotes_and_contracts),
	};

	return cmocka_run_group_tests_name("symbol", tests, NULL, NULL);
}
